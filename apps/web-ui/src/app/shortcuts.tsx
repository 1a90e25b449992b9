/** Keys that work on every page: `/` goes to the search of the page, `?` shows what keys there are. */
import { Kbd, Modal, Table } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";

/** The search field of a page carries this attribute. */
export const PAGE_SEARCH = { "data-page-search": true } as const;

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["/", "Go to the search of the page"],
  ["?", "Show these keys"],
  ["← → ↑ ↓", "Move in the grid; Home and End go to the first and the last run"],
  ["Enter", "Open what is marked in the grid"],
  ["Space", "Open or close the marked group in the grid"],
  ["Enter, Shift + Enter", "In the log's search: next and previous match"],
  ["Home, End", "In the log: first and last line"],
];

export function useShortcuts(): { readonly help: React.JSX.Element; readonly showHelp: () => void } {
  const [isOpen, { open, close }] = useDisclosure(false);
  useHotkeys([
    ["/", focusPageSearch, { usePhysicalKeys: false }],
    ["shift + ?", open, { usePhysicalKeys: false }],
    ["?", open, { usePhysicalKeys: false }],
  ]);
  const help = (
    <Modal opened={isOpen} onClose={close} title="Keys">
      <Table>
        <Table.Tbody>
          {SHORTCUTS.map(([key, meaning]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
  return { help, showHelp: open };
}

function focusPageSearch(): void {
  document.querySelector<HTMLInputElement>("[data-page-search]")?.focus();
}
