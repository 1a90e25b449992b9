/** Labels on edges: `a.before(Label.of("on weekdays").on(b))`. */
import { brand } from "./brand.ts";
import { describeValue } from "./json.ts";
import type { Node } from "./task-types.ts";

export interface LabelledNodes {
  readonly text: string;
  readonly nodes: readonly Node[];
}

const labelled = new WeakMap<object, LabelledNodes>();

export class Label {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
    brand(this, "Label");
    Object.freeze(this);
  }

  /** The label of the edges that `on(...)` names. */
  static of(text: string): Label {
    if (typeof text !== "string" || text.trim() === "") {
      throw new Error(`A label must be a text that is not blank, not ${describeValue(text)}`);
    }
    return new Label(text);
  }

  /** For use as an argument of `before` or `after` only; the edges to these nodes get the label. */
  on(node: Node, ...nodes: readonly Node[]): Node {
    const all = [node, ...nodes];
    if (all.some((one) => labelledNodes(one) !== null)) throw new Error("A label can't be put on a label");
    const refuse = (): never => {
      throw new Error("A label draws no edges itself; give it to before(...) or after(...) of a node");
    };
    const result: Node = { dagId: node?.dagId, before: refuse, after: refuse };
    brand(result, "Label");
    labelled.set(result, { text: this.text, nodes: all });
    return Object.freeze(result);
  }
}

/** What a label was put on; null for anything else. */
export function labelledNodes(value: unknown): LabelledNodes | null {
  return typeof value === "object" && value !== null ? (labelled.get(value) ?? null) : null;
}
