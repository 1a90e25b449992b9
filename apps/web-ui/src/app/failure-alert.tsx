/** What went wrong and what to do, where the content would be. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { adviceFor, messageOf } from "../api/failure.ts";

interface FailureAlertProps {
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}

export function FailureAlert({ title, error, onRetry }: FailureAlertProps) {
  return (
    <Alert color="red" icon={<TriangleAlert aria-hidden="true" />} title={title} role="alert" m="md">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{messageOf(error)}</Text>
        <Text size="sm">{adviceFor(error)}</Text>
        {onRetry !== undefined && (
          <Button size="xs" variant="light" color="red" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
