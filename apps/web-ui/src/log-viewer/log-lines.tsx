/**
 * A scrolling window on any number of rows. Rows around the anchor are drawn and then moved, so that the anchor stands
 * where the scroll bar says; see scroll-anchor.ts.
 */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { ArrowDownToLine } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import styles from "./log-viewer.module.css";
import { anchorAt, contentHeightOf, rowsAround, scrollTopFor } from "./scroll-anchor.ts";

const ROW_HEIGHT = 20;
const OVERSCAN_ROWS = 10;
/** Rows that wrap are this many times higher than thought before the scroll bar grows: it grows seldom. */
const WORTH_A_LONGER_BAR = 1.25;
/** So near to the end, the window stays at the end as lines come in. */
const NEAR_END_PX = 30;

export interface ScrollTarget {
  readonly row: number;
}

interface LogLinesProps {
  readonly rowCount: number;
  readonly wraps: boolean;
  /** Rows are scrolled into sight when this changes. */
  readonly target: ScrollTarget | null;
  onShow(from: number, to: number): void;
  renderRow(row: number): ReactNode;
}

export function LogLines({ rowCount, wraps, target, onShow, renderRow }: LogLinesProps) {
  const { ref: sizeRef, height: viewportHeight } = useElementSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const staysAtEnd = useRef(true);
  const [scrollTop, setScrollTop] = useState(0);
  const [isAtEnd, setIsAtEnd] = useState(true);

  const [wrappedRowHeight, setWrappedRowHeight] = useState(ROW_HEIGHT);

  const rowHeight = wraps ? wrappedRowHeight : ROW_HEIGHT;
  const contentHeight = contentHeightOf(rowCount, rowHeight);
  const place = { scrollTop, viewportHeight, contentHeight };
  const anchor = anchorAt(rowCount, place);
  const shown = rowsAround(anchor, rowCount, Math.ceil(viewportHeight / ROW_HEIGHT) + OVERSCAN_ROWS);

  const drawnRowHeight = useRef(rowHeight);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const grownBy = rowHeight / drawnRowHeight.current;
    drawnRowHeight.current = rowHeight;
    if (staysAtEnd.current) element.scrollTop = contentHeight;
    else if (grownBy !== 1) element.scrollTop *= grownBy;
    setScrollTop(element.scrollTop);
  }, [contentHeight, rowHeight]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: lines that come in must not pull the reader back to a match.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || target === null) return;
    element.scrollTop = scrollTopFor(target.row, rowCount, place);
  }, [target]);

  // Without a list of what it depends on: heights of rows are known only once they are drawn.
  useLayoutEffect(() => {
    const block = rows.current;
    const row = block?.children[anchor.row - shown.from];
    if (!(block instanceof HTMLElement) || !(row instanceof HTMLElement)) return;
    const top = anchor.y - row.offsetTop - anchor.within * row.offsetHeight;
    const isShort = contentHeight <= viewportHeight && block.offsetHeight <= viewportHeight;
    block.style.transform = `translateY(${isShort ? 0 : top}px)`;
    const average = block.offsetHeight / block.children.length;
    if (wraps && average > wrappedRowHeight * WORTH_A_LONGER_BAR) setWrappedRowHeight(average);
  });

  useEffect(() => onShow(shown.from, shown.to), [onShow, shown.from, shown.to]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const left = element.scrollHeight - element.clientHeight - element.scrollTop;
    staysAtEnd.current = left < NEAR_END_PX;
    setIsAtEnd(staysAtEnd.current);
    setScrollTop(element.scrollTop);
  };
  const scrollToEnd = (): void => {
    if (scroller.current !== null) scroller.current.scrollTop = contentHeight;
  };

  return (
    <div className={styles.frame} data-wrap={wraps || undefined} ref={sizeRef}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the log is scrolled with the keys. */}
      <section className={styles.scroll} ref={scroller} onScroll={onScroll} tabIndex={0} aria-label="Log">
        <div style={{ height: Math.max(contentHeight, viewportHeight) }}>
          <div className={styles.window} style={{ height: viewportHeight }}>
            <div className={styles.rows} ref={rows}>
              {Array.from({ length: shown.to - shown.from }, (_, index) => renderRow(shown.from + index))}
            </div>
          </div>
        </div>
      </section>
      {!isAtEnd && (
        <Tooltip label="To the end">
          <ActionIcon className={styles.end ?? ""} radius="xl" size="lg" aria-label="To the end" onClick={scrollToEnd}>
            <ArrowDownToLine size={18} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}
