/** Cuts pieces of text where a search fits, without regard to case. Pure. */
import type { AnsiPiece } from "./ansi.ts";

export interface MarkedPiece extends AnsiPiece {
  readonly isMatch: boolean;
}

export function markMatches(pieces: readonly AnsiPiece[], search: string): readonly MarkedPiece[] {
  if (search === "") return pieces.map((piece) => ({ ...piece, isMatch: false }));
  const wanted = search.toLowerCase();
  return pieces.flatMap((piece) => cut(piece, wanted));
}

function cut(piece: AnsiPiece, wanted: string): readonly MarkedPiece[] {
  const lower = piece.text.toLowerCase();
  // Lower case may be longer than the text; then positions don't agree and nothing is marked.
  if (lower.length !== piece.text.length) return [{ ...piece, isMatch: false }];
  const cuts: MarkedPiece[] = [];
  let end = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, end)) {
    if (at > end) cuts.push({ ...piece, text: piece.text.slice(end, at), isMatch: false });
    end = at + wanted.length;
    cuts.push({ ...piece, text: piece.text.slice(at, end), isMatch: true });
  }
  if (end < piece.text.length || cuts.length === 0)
    cuts.push({ ...piece, text: piece.text.slice(end), isMatch: false });
  return cuts;
}
