/** A button whose deed is asked about first. */
import { Button, type ButtonProps, Group, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

interface ConfirmButtonProps extends ButtonProps {
  readonly label: string;
  /** What will happen, in a sentence. */
  readonly question: ReactNode;
  onConfirm(): void;
}

export function ConfirmButton({ label, question, onConfirm, ...looks }: ConfirmButtonProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const confirm = (): void => {
    close();
    onConfirm();
  };
  return (
    <>
      <Button size="xs" variant="default" onClick={open} {...looks}>
        {label}
      </Button>
      <Modal opened={isOpen} onClose={close} title={label}>
        <Text size="sm" component="div">
          {question}
        </Text>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button onClick={confirm} data-autofocus>
            {label}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
