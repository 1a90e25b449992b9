/**
 * Which row is where, for lists of any length in a scroll bar of bounded height. Pure.
 *
 * Browsers draw no element higher than some 17 million pixels, and rows that wrap have heights nobody knows before they
 * are drawn. So a place in the scroll bar is a share `f` of the list: the row at `f` of the list stands at `f` of the
 * viewport. At 0 the first row is at the top, at 1 the last is at the bottom, whatever the heights between; where the
 * heights are as estimated and the bar is high enough, this is exactly native scrolling.
 */

/** Below Firefox's limit, the lowest of the browsers'. */
export const HIGHEST_CONTENT_PX = 15_000_000;

export interface ScrollPlace {
  readonly scrollTop: number;
  readonly viewportHeight: number;
  readonly contentHeight: number;
}

export interface Anchor {
  /** The row that is placed; the others follow from it. */
  readonly row: number;
  /** The point of the row, from 0 (top) to 1 (bottom), that stands at `y`. */
  readonly within: number;
  /** From the top of the viewport, in pixels. */
  readonly y: number;
}

export function contentHeightOf(rows: number, rowHeight: number): number {
  return Math.min(rows * rowHeight, HIGHEST_CONTENT_PX);
}

export function anchorAt(rows: number, place: ScrollPlace): Anchor {
  const reach = Math.max(0, place.contentHeight - place.viewportHeight);
  const share = reach === 0 ? 0 : Math.max(0, Math.min(1, place.scrollTop / reach));
  const position = share * rows;
  const row = Math.max(0, Math.min(rows - 1, Math.floor(position)));
  return { row, within: Math.min(1, position - row), y: share * place.viewportHeight };
}

/** Rows to draw around the anchor, from the first to behind the last: enough for the viewport at the least height. */
export function rowsAround(anchor: Anchor, rows: number, most: number): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, anchor.row - most), to: Math.min(rows, anchor.row + most + 1) };
}

/** Where to scroll so that a row stands in the viewport at the same share as it has in the list. */
export function scrollTopFor(row: number, rows: number, place: Omit<ScrollPlace, "scrollTop">): number {
  const reach = Math.max(0, place.contentHeight - place.viewportHeight);
  return rows === 0 ? 0 : reach * Math.min(1, (row + 0.5) / rows);
}
