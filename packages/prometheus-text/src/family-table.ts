/** The families of one exposition, filled while its lines are read. */
import type { MetricFamily, MetricType } from "./exposition.ts";

/** @internal A family under construction. `null` means that no line has said it yet. */
export class FamilyDraft implements MetricFamily {
  readonly name: string;
  declaredType: MetricType | null = null;
  declaredHelp: string | null = null;
  declaredUnit: string | null = null;

  constructor(name: string) {
    this.name = name;
  }

  get type(): MetricType {
    return this.declaredType ?? "unknown";
  }

  get help(): string {
    return this.declaredHelp ?? "";
  }

  get unit(): string {
    return this.declaredUnit ?? "";
  }
}

/** @internal Finds the family a sample or a metadata line of the 0.0.4 format belongs to. */
export class FamilyTable {
  readonly #byName = new Map<string, FamilyDraft>();

  /** The family of this very name, else the summary or histogram of which it is a part, else a new one. */
  findOrCreate(name: string): FamilyDraft {
    const known = this.#byName.get(name) ?? this.#owner(name);
    if (known !== undefined) return known;
    const family = new FamilyDraft(name);
    this.#byName.set(name, family);
    return family;
  }

  all(): MetricFamily[] {
    return [...this.#byName.values()];
  }

  #owner(name: string): FamilyDraft | undefined {
    if (name.endsWith("_bucket")) return this.#ofTypes(name.slice(0, -7), histogramTypes);
    if (name.endsWith("_count")) return this.#ofTypes(name.slice(0, -6), compoundTypes);
    if (name.endsWith("_sum")) return this.#ofTypes(name.slice(0, -4), compoundTypes);
    return undefined;
  }

  #ofTypes(name: string, types: ReadonlySet<MetricType>): FamilyDraft | undefined {
    const family = this.#byName.get(name);
    return family !== undefined && types.has(family.type) ? family : undefined;
  }
}

const histogramTypes: ReadonlySet<MetricType> = new Set(["histogram", "gaugehistogram"]);
const compoundTypes: ReadonlySet<MetricType> = new Set(["histogram", "gaugehistogram", "summary"]);
