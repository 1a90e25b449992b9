/** The file that a DAG was read from, as it was when it was read. */
import { Button, CopyButton, Group, Text } from "@mantine/core";
import hljs from "highlight.js/lib/core";
import typescript from "highlight.js/lib/languages/typescript";
import { useMemo } from "react";
import { useParams } from "react-router";
import { useDag, useDagSource } from "../api/dags.ts";
import { QueryContent } from "../app/query-content.tsx";
import { Moment } from "../time/moment.tsx";
import styles from "./code-tab.module.css";

hljs.registerLanguage("typescript", typescript);

export function CodeTab() {
  const { dagId = "" } = useParams();
  const source = useDagSource(dagId);
  const dag = useDag(dagId).data;
  return (
    <QueryContent query={source} what="the source">
      {({ content, version_number: version }) => (
        <>
          <Group justify="space-between" mb="xs">
            <Text size="sm" c="dimmed">
              {dag?.relative_fileloc ?? dag?.fileloc} · version {version ?? "–"} · read{" "}
              <Moment at={dag?.last_parsed_time} />
            </Text>
            <CopyButton value={content ?? ""}>
              {({ copied, copy }) => (
                <Button size="xs" variant="default" onClick={copy}>
                  {copied ? "Copied" : "Copy"}
                </Button>
              )}
            </CopyButton>
          </Group>
          <Source code={content ?? ""} />
        </>
      )}
    </QueryContent>
  );
}

function Source({ code }: { readonly code: string }) {
  const html = useMemo(() => hljs.highlight(code, { language: "typescript" }).value, [code]);
  return (
    <div className={styles.source}>
      <pre className={styles.numbers} aria-hidden="true">
        {code
          .split("\n")
          .map((_line, index) => index + 1)
          .join("\n")}
      </pre>
      <pre className={styles.code}>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: highlight.js escapes the code it is given. */}
        <code dangerouslySetInnerHTML={{ __html: html }} />
      </pre>
    </div>
  );
}
