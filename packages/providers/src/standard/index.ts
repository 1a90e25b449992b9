/** Operators that every installation has. */
export { type BashOptions, bash } from "./bash.ts";
