/** Files that can't be read as DAGs: how many, and why each. */
import { Accordion, Alert, Button, Code, Group, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ImportErrorResponse } from "@updraft/contract";
import { FileWarning } from "lucide-react";
import { useImportErrors } from "../api/dags.ts";
import { Moment } from "../time/moment.tsx";

export function ImportErrorsBanner() {
  const errors = useImportErrors();
  const [isOpen, { open, close }] = useDisclosure(false);
  const count = errors.data?.total_entries ?? 0;
  if (errors.data === undefined || count === 0) return null;
  const title = count === 1 ? "1 DAG file has an import error" : `${count} DAG files have import errors`;
  return (
    <>
      <Alert color="red" icon={<FileWarning aria-hidden="true" />} mb="md" role="alert" title={title}>
        <Group justify="space-between">
          <Text size="sm">Its last good version, if there is one, stays in use.</Text>
          <Button size="xs" variant="light" color="red" onClick={open}>
            Show
          </Button>
        </Group>
      </Alert>
      <Modal opened={isOpen} onClose={close} title={title} size="80%">
        <ImportErrorList errors={errors.data.import_errors} />
      </Modal>
    </>
  );
}

export function ImportErrorList({ errors }: { readonly errors: readonly ImportErrorResponse[] }) {
  const first = errors[0];
  return (
    <Accordion defaultValue={first === undefined ? null : String(first.import_error_id)}>
      {errors.map((error) => (
        <Accordion.Item key={error.import_error_id} value={String(error.import_error_id)}>
          <Accordion.Control>
            <Group justify="space-between" pr="md">
              <Text fw={600}>{error.filename}</Text>
              <Text size="sm" c="dimmed">
                <Moment at={error.timestamp} />
              </Text>
            </Group>
          </Accordion.Control>
          <Accordion.Panel>
            <Code block>{error.stack_trace}</Code>
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}
