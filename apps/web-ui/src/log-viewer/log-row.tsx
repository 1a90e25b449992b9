/** One line of a log: number, time, level, and its text with colours and matches. */
import type { LogLine } from "@updraft/contract";
import { type CSSProperties, memo } from "react";
import { formatLogTime } from "../time/instant.ts";
import { type AnsiStyle, parseAnsi } from "./ansi.ts";
import { markMatches } from "./highlight.ts";
import styles from "./log-viewer.module.css";

interface LogRowProps {
  /** From 0, as the server counts; people see it from 1. */
  readonly number: number;
  /** Undefined while it is fetched. */
  readonly line: LogLine | undefined;
  readonly showsTimestamp: boolean;
  readonly search: string;
  readonly isCurrentMatch: boolean;
}

export const LogRow = memo(function LogRow({ number, line, showsTimestamp, search, isCurrentMatch }: LogRowProps) {
  return (
    <div
      className={styles.row}
      data-line={number}
      data-level={line?.level ?? undefined}
      data-current={isCurrentMatch || undefined}
    >
      <span className={styles.number}>{number + 1}</span>
      {line === undefined ? (
        <span className={styles.waiting}>…</span>
      ) : (
        <>
          {showsTimestamp && line.timestamp !== null && (
            <time className={styles.time} dateTime={line.timestamp} title={line.timestamp}>
              {formatLogTime(line.timestamp)}
            </time>
          )}
          {line.level !== null && (
            <span className={styles.level} title={line.logger ?? line.level}>
              {line.level.toUpperCase().padEnd(5)}
            </span>
          )}
          <span className={styles.text}>
            <LineText text={line.event} search={search} />
          </span>
        </>
      )}
    </div>
  );
});

function LineText({ text, search }: { readonly text: string; readonly search: string }) {
  const pieces = markMatches(parseAnsi(text), search);
  let offset = 0;
  return pieces.map((piece) => {
    const key = offset;
    offset += piece.text.length;
    const style = cssOf(piece.style);
    return piece.isMatch ? (
      <mark key={key} style={style}>
        {piece.text}
      </mark>
    ) : (
      <span key={key} style={style}>
        {piece.text}
      </span>
    );
  });
}

function cssOf(style: AnsiStyle): CSSProperties {
  const decoration = [style.underline && "underline", style.strike && "line-through"].filter(Boolean).join(" ");
  return {
    ...(style.color && { color: style.color }),
    ...(style.background && { backgroundColor: style.background }),
    ...(style.bold && { fontWeight: 700 }),
    ...(style.dim && { opacity: 0.65 }),
    ...(style.italic && { fontStyle: "italic" }),
    ...(decoration !== "" && { textDecoration: decoration }),
  };
}
