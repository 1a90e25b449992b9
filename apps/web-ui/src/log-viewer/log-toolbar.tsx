/** What a reader may do with a log: search, choose levels, wrap, show times, copy, take it along. */
import { ActionIcon, Badge, Button, Group, MultiSelect, Switch, Text, TextInput, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { ChevronDown, ChevronUp, Download, Search } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { messageOf } from "../api/failure.ts";
import { downloadPath, fetchWholeLog, type TryKey } from "../api/logs.ts";
import { PAGE_SEARCH } from "../app/shortcuts.tsx";

const LEVELS = ["debug", "info", "warning", "error", "critical"];
/** More is not pasted anywhere; and a clipboard holds it all in memory. */
const MOST_COPIED_LINES = 50_000;

export interface LogOptions {
  readonly wraps: boolean;
  readonly showsTimestamps: boolean;
}

interface LogToolbarProps {
  readonly tryKey: TryKey;
  readonly totalLines: number;
  readonly isLive: boolean;
  readonly options: LogOptions;
  readonly levels: readonly string[];
  readonly search: string;
  /** Null while there is no search. */
  readonly matches: { readonly current: number; readonly count: number; readonly total: number } | null;
  onOptions(options: LogOptions): void;
  onLevels(levels: readonly string[]): void;
  onSearch(text: string): void;
  onStep(by: 1 | -1): void;
}

export function LogToolbar(props: LogToolbarProps) {
  const { tryKey, totalLines, isLive, options, levels, search, onOptions, onLevels, onSearch } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") props.onStep(event.shiftKey ? -1 : 1);
  };
  return (
    <Group mb="xs" gap="xs">
      <TextInput
        size="xs"
        w={220}
        aria-label="Search the log"
        placeholder="Search the log (/)"
        leftSection={<Search size={14} aria-hidden="true" />}
        value={search}
        onChange={(event) => onSearch(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        {...PAGE_SEARCH}
      />
      {props.matches !== null && <MatchSteps matches={props.matches} onStep={props.onStep} />}
      <MultiSelect
        size="xs"
        miw={150}
        aria-label="Show levels"
        placeholder={levels.length === 0 ? "All levels" : ""}
        data={LEVELS}
        value={[...levels]}
        onChange={onLevels}
        clearable
      />
      <Switch
        size="xs"
        label="Wrap"
        checked={options.wraps}
        onChange={(event) => onOptions({ ...options, wraps: event.currentTarget.checked })}
      />
      <Switch
        size="xs"
        label="Times"
        checked={options.showsTimestamps}
        onChange={(event) => onOptions({ ...options, showsTimestamps: event.currentTarget.checked })}
      />
      <Group gap="xs" ml="auto">
        {isLive && (
          <Badge color="teal" variant="light" tt="none" className="state-pulse">
            live
          </Badge>
        )}
        <Text size="xs" c="dimmed">
          {totalLines.toLocaleString("en")} lines
        </Text>
        <CopyLog tryKey={tryKey} totalLines={totalLines} />
        <Tooltip label="Download">
          <ActionIcon
            component="a"
            href={downloadPath(tryKey)}
            download
            variant="default"
            aria-label="Download the log"
          >
            <Download size={16} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
  );
}

function MatchSteps({
  matches,
  onStep,
}: {
  readonly matches: NonNullable<LogToolbarProps["matches"]>;
  onStep(by: 1 | -1): void;
}) {
  const { current, count, total } = matches;
  return (
    <Group gap={4}>
      <Text size="xs" role="status">
        {count === 0 ? "no match" : `${current + 1} of ${total.toLocaleString("en")}`}
      </Text>
      <ActionIcon
        size="sm"
        variant="default"
        aria-label="Previous match"
        disabled={count === 0}
        onClick={() => onStep(-1)}
      >
        <ChevronUp size={14} aria-hidden="true" />
      </ActionIcon>
      <ActionIcon size="sm" variant="default" aria-label="Next match" disabled={count === 0} onClick={() => onStep(1)}>
        <ChevronDown size={14} aria-hidden="true" />
      </ActionIcon>
    </Group>
  );
}

function CopyLog({ tryKey, totalLines }: { readonly tryKey: TryKey; readonly totalLines: number }) {
  const [isCopied, setIsCopied] = useState(false);
  const isTooLong = totalLines > MOST_COPIED_LINES;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await fetchWholeLog(tryKey));
      setIsCopied(true);
    } catch (error) {
      notifications.show({
        color: "red",
        title: "The log was not copied",
        message: `${messageOf(error)} Download it instead.`,
      });
    }
  };
  return (
    <Button
      size="compact-xs"
      variant="default"
      disabled={isTooLong}
      title={isTooLong ? "Too long for the clipboard; download it." : "Copy the whole log"}
      onClick={() => void copy()}
    >
      {isCopied ? "Copied" : "Copy"}
    </Button>
  );
}
