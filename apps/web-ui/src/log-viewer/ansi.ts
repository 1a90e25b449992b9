/**
 * Colours and emphasis that programs write for terminals (SGR sequences), as pieces of text with a style. Everything
 * else that steers a terminal (cursor, titles, links) is left out. Pure.
 */

export interface AnsiStyle {
  /** A name of the 16 colours, or a CSS colour. */
  readonly color?: string;
  readonly background?: string;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly strike?: true;
}

export interface AnsiPiece {
  readonly text: string;
  readonly style: AnsiStyle;
}

const PLAIN: AnsiStyle = Object.freeze({});
const ESCAPE = "\u001b";

/** CSI sequences, with the parameters and the final letter caught; OSC sequences; two-character escapes. */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[([0-9;:?<=>]*)[ -/]*([@-~])|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|[ -/]*[0-~]?)`,
  "g",
);

export function parseAnsi(text: string): readonly AnsiPiece[] {
  if (!text.includes(ESCAPE)) return [{ text, style: PLAIN }];
  const pieces: AnsiPiece[] = [];
  let style = PLAIN;
  let end = 0;
  for (const match of text.matchAll(SEQUENCES)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), style });
    end = match.index + match[0].length;
    if (match[2] === "m") style = styleAfter(style, match[1] ?? "");
  }
  if (end < text.length) pieces.push({ text: text.slice(end), style });
  return pieces;
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

type Attribute = keyof AnsiStyle;
const SWITCHED_ON: Readonly<Record<number, Attribute>> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "underline",
  9: "strike",
};
const SWITCHED_OFF: Readonly<Record<number, readonly Attribute[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  29: ["strike"],
  39: ["color"],
  49: ["background"],
};

function styleAfter(before: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map(Number);
  let style = before;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const { color, used } = extendedColor(codes.slice(index + 1));
      index += used;
      if (color !== null) style = { ...style, [code === 38 ? "color" : "background"]: color };
      continue;
    }
    style = styleAfterCode(style, code);
  }
  return style;
}

function styleAfterCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return PLAIN;
  const attribute = SWITCHED_ON[code];
  if (attribute !== undefined) return { ...style, [attribute]: true };
  const ended = SWITCHED_OFF[code];
  if (ended !== undefined) return without(style, ended);
  const color = namedColor(code % 10, code >= 90);
  if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) return { ...style, color };
  if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) return { ...style, background: color };
  return style;
}

function without(style: AnsiStyle, attributes: readonly Attribute[]): AnsiStyle {
  const after = { ...style };
  for (const attribute of attributes) delete after[attribute];
  return after;
}

/** The 16 colours are variables, so that both colour schemes can read them. */
function namedColor(index: number, isBright: boolean): string {
  return `var(--ansi-${isBright ? "bright-" : ""}${NAMES[index] ?? "white"})`;
}

/** What follows 38 or 48: `5;n` of 256 colours or `2;r;g;b`. */
function extendedColor(codes: readonly number[]): { readonly color: string | null; readonly used: number } {
  const [mode, first = 0, second = 0, third = 0] = codes;
  if (mode === 5) return { color: color256(clampByte(first)), used: 2 };
  if (mode === 2) return { color: `rgb(${clampByte(first)} ${clampByte(second)} ${clampByte(third)})`, used: 4 };
  return { color: null, used: codes.length };
}

const CUBE_STEPS = [0, 95, 135, 175, 215, 255] as const;

function color256(index: number): string {
  if (index < 16) return namedColor(index % 8, index >= 8);
  if (index >= 232) {
    const gray = 8 + (index - 232) * 10;
    return `rgb(${gray} ${gray} ${gray})`;
  }
  const cube = index - 16;
  const step = (part: number): number => CUBE_STEPS[part % 6] ?? 0;
  return `rgb(${step(Math.floor(cube / 36))} ${step(Math.floor(cube / 6))} ${step(cube)})`;
}

function clampByte(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(255, Math.trunc(value))) : 0;
}
