import { describe, expect, it } from "vitest";
import {
  anchorAt,
  contentHeightOf,
  HIGHEST_CONTENT_PX,
  rowsAround,
  scrollTopFor,
} from "../src/log-viewer/scroll-anchor.ts";

const VIEWPORT = 600;
const ROW = 20;

function placeAt(rows: number, scrollTop: number) {
  return { scrollTop, viewportHeight: VIEWPORT, contentHeight: contentHeightOf(rows, ROW) };
}

describe("anchorAt", () => {
  it("is native scrolling where the bar is high enough", () => {
    for (const scrollTop of [0, 1, 777, 10_000, 19_400]) {
      const { row, within, y } = anchorAt(1000, placeAt(1000, scrollTop));
      const topOfFirstRow = y - (row + within) * ROW;
      expect(topOfFirstRow).toBeCloseTo(-scrollTop, 6);
    }
  });

  it.each([1_000, 1_000_000, 50_000_000])("shows the first and the last of %d rows at the ends of the bar", (rows) => {
    const reach = contentHeightOf(rows, ROW) - VIEWPORT;
    expect(anchorAt(rows, placeAt(rows, 0))).toEqual({ row: 0, within: 0, y: 0 });
    expect(anchorAt(rows, placeAt(rows, reach))).toEqual({ row: rows - 1, within: 1, y: VIEWPORT });
  });

  it("stays inside where the browser scrolls beyond the ends", () => {
    expect(anchorAt(100, placeAt(100, -50)).row).toBe(0);
    expect(anchorAt(100, placeAt(100, 1e9)).row).toBe(99);
  });

  it("stays at the top where everything fits", () => {
    expect(anchorAt(3, placeAt(3, 0))).toEqual({ row: 0, within: 0, y: 0 });
  });
});

describe("scrolling to a row", () => {
  it.each([0, 4_321, 999_999])("brings row %d of a million into the viewport", (row) => {
    const place = placeAt(1_000_000, 0);
    const anchor = anchorAt(1_000_000, { ...place, scrollTop: scrollTopFor(row, 1_000_000, place) });
    expect(anchor.row).toBe(row);
    expect(anchor.y).toBeGreaterThanOrEqual(0);
    expect(anchor.y).toBeLessThanOrEqual(VIEWPORT);
  });
});

it("never makes the bar higher than browsers draw", () => {
  expect(contentHeightOf(1e9, ROW)).toBe(HIGHEST_CONTENT_PX);
});

it("draws rows on both sides of the anchor, within the list", () => {
  expect(rowsAround({ row: 2, within: 0, y: 0 }, 100, 5)).toEqual({ from: 0, to: 8 });
  expect(rowsAround({ row: 99, within: 1, y: 0 }, 100, 5)).toEqual({ from: 94, to: 100 });
});
