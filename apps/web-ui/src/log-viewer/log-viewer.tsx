/** The log of one try. It opens at its end, follows what is written, and reads only what comes into sight. */
import { Text } from "@mantine/core";
import { useDebouncedValue, useLocalStorage, useThrottledValue } from "@mantine/hooks";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { logPorts, type TryKey, useLogMatches } from "../api/logs.ts";
import { FailureAlert } from "../app/failure-alert.tsx";
import { LogLines, type ScrollTarget } from "./log-lines.tsx";
import { LogRow } from "./log-row.tsx";
import { createLogSource } from "./log-source.ts";
import { LogToolbar } from "./log-toolbar.tsx";
import { rowOfLine, stepped } from "./matches.ts";

const SEARCH_PAUSE_MS = 250;
/** So often a search looks through a log that grows. */
const SEARCH_AGAIN_MS = 2_000;
const START_OPTIONS = { wraps: false, showsTimestamps: true };

export function LogViewer({ tryKey }: { readonly tryKey: TryKey }) {
  const [attempt, setAttempt] = useState(0);
  const name = `${JSON.stringify(tryKey)}${attempt}`;
  return <OpenLog key={name} tryKey={tryKey} onRetry={() => setAttempt(attempt + 1)} />;
}

interface OpenLogProps {
  readonly tryKey: TryKey;
  onRetry(): void;
}

function OpenLog({ tryKey, onRetry }: OpenLogProps) {
  const [source] = useState(() => createLogSource(logPorts(tryKey)));
  useEffect(() => {
    source.start();
    return source.stop;
  }, [source]);
  const { totalLines, isComplete, error } = useSyncExternalStore(source.subscribe, source.snapshot);
  const [options, setOptions] = useLocalStorage({ key: "updraft-log-options", defaultValue: START_OPTIONS });
  const [levels, setLevels] = useState<readonly string[]>([]);
  const [search, setSearch] = useState("");
  const [wantedSearch] = useDebouncedValue(search.trim(), SEARCH_PAUSE_MS);
  const searchedLines = useThrottledValue(totalLines ?? 0, SEARCH_AGAIN_MS);

  const shown = useLogMatches(tryKey, { text: "", levels }, searchedLines).data;
  const shownLines = levels.length === 0 ? null : (shown?.lines ?? []);
  const found = useLogMatches(tryKey, { text: wantedSearch, levels }, searchedLines).data;
  const matches = useMemo(() => (wantedSearch === "" ? null : (found ?? null)), [wantedSearch, found]);
  const { current, target, step } = useMatchSteps(wantedSearch, matches?.lines ?? NO_LINES, shownLines);

  const lineOfRow = (row: number): number => (shownLines === null ? row : (shownLines[row] ?? 0));
  const onShow = useCallback(
    (from: number, to: number) => {
      const numbers = shownLines?.slice(from, to) ?? Array.from({ length: to - from }, (_, index) => from + index);
      source.want(numbers, levels);
    },
    [source, levels, shownLines],
  );

  if (totalLines === null) {
    if (error !== null) return <FailureAlert title="Can't read the log" error={error} onRetry={onRetry} />;
    return <Text c="dimmed">Reading the log …</Text>;
  }
  return (
    <>
      <LogToolbar
        tryKey={tryKey}
        totalLines={totalLines}
        isLive={!isComplete}
        options={options}
        levels={levels}
        search={search}
        matches={matches === null ? null : { current, count: matches.lines.length, total: matches.total }}
        onOptions={setOptions}
        onLevels={setLevels}
        onSearch={setSearch}
        onStep={step}
      />
      {shown?.truncated === true && levels.length > 0 && (
        <Text size="xs" c="dimmed" mb={4}>
          The first {shown.lines.length.toLocaleString("en")} of {shown.total.toLocaleString("en")} lines of these
          levels.
        </Text>
      )}
      <LogLines
        rowCount={shownLines?.length ?? totalLines}
        wraps={options.wraps}
        target={target}
        onShow={onShow}
        renderRow={(row) => {
          const number = lineOfRow(row);
          return (
            <LogRow
              key={number}
              number={number}
              line={source.line(number)}
              showsTimestamp={options.showsTimestamps}
              search={wantedSearch}
              isCurrentMatch={matches?.lines[current] === number}
            />
          );
        }}
      />
      {totalLines === 0 && <Text c="dimmed">{isComplete ? "The try wrote no lines." : "No lines yet."}</Text>}
    </>
  );
}

const NO_LINES: readonly number[] = [];

/** The match a reader is at: the first for a new search, then by steps. */
function useMatchSteps(search: string, lines: readonly number[], shownLines: readonly number[] | null) {
  const [at, setAt] = useState({ search, index: 0 });
  const [target, setTarget] = useState<ScrollTarget | null>(null);
  const current = at.search === search ? Math.min(at.index, Math.max(0, lines.length - 1)) : 0;
  const goTo = (index: number): void => {
    const line = lines[index];
    const row = line === undefined ? -1 : rowOfLine(line, shownLines);
    if (row >= 0) setTarget({ row });
  };
  const first = lines[0];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a search leads to its first match once, not as the log grows.
  useEffect(() => {
    if (first !== undefined && search !== "") goTo(0);
  }, [search, first]);
  const step = (by: 1 | -1): void => {
    const index = stepped(current, by, lines.length);
    setAt({ search, index });
    goTo(index);
  };
  return { current, target, step };
}
