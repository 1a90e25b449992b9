/** An empty list, which teaches how it fills. */
import { Button, Code, Paper, Stack, Text, Title } from "@mantine/core";

const EXAMPLE = `import { bash } from "@updraft/providers/standard";
import { Bundle, Dag } from "@updraft/sdk";

const dag = new Dag("hello", { schedule: "@daily", catchup: false });
const greet = dag.task("greet", bash("echo hello"))();
const shout = dag.task("shout", ({ text }: { text: string }) => text.toUpperCase());
shout({ text: greet });

await new Bundle(dag).serve();`;

export function NoDags() {
  return (
    <Paper withBorder p="xl">
      <Stack>
        <Title order={2} size="h3">
          No DAGs yet
        </Title>
        <Text>
          Save a file like this one as <Code>dags/hello.ts</Code>. It shows here within a second; no restart is needed.
        </Text>
        <Code block>{EXAMPLE}</Code>
        <Text size="sm" c="dimmed">
          A file that can't be read shows as an import error, with the line at fault.
        </Text>
      </Stack>
    </Paper>
  );
}

export function NoMatches({ onClear }: { onClear(): void }) {
  return (
    <Paper withBorder p="xl">
      <Stack align="flex-start">
        <Text>No DAG fits the filters.</Text>
        <Button variant="light" onClick={onClear}>
          Clear the filters
        </Button>
      </Stack>
    </Paper>
  );
}
