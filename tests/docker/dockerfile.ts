/** A Dockerfile as a list of instructions: enough of its grammar for ours (no line continuations, one stage). */

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export function instructions(dockerfile: string): Instruction[] {
  return dockerfile
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [keyword = "", ...words] = line.split(/\s+/);
      return { keyword: keyword.toUpperCase(), rest: words.join(" ") };
    });
}
