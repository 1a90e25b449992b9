/** The button that triggers a DAG, and its form. */
import { ActionIcon, Button, Modal, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Play } from "lucide-react";
import { TriggerFormFields } from "./trigger-form-fields.tsx";

interface TriggerButtonProps {
  readonly dagId: string;
  readonly isPaused: boolean;
  readonly compact?: boolean;
}

export function TriggerButton({ dagId, isPaused, compact = false }: TriggerButtonProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const label = `Trigger ${dagId}`;
  return (
    <>
      {compact ? (
        <Tooltip label={label}>
          <ActionIcon variant="subtle" aria-label={label} onClick={open}>
            <Play size={16} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
      ) : (
        <Button leftSection={<Play size={16} aria-hidden="true" />} onClick={open}>
          Trigger
        </Button>
      )}
      <Modal opened={isOpen} onClose={close} title={label} size="lg">
        <TriggerFormFields dagId={dagId} isPaused={isPaused} onDone={close} />
      </Modal>
    </>
  );
}
