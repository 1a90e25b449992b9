/** Reads a mapping of a YAML file key by key; every complaint names the file, the line and what was expected. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";

export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

export class YamlSection {
  readonly #map: YAMLMap<unknown, unknown>;
  readonly #source: Source;
  readonly #name: string;

  private constructor(map: YAMLMap<unknown, unknown>, source: Source, name: string) {
    this.#map = map;
    this.#source = source;
    this.#name = name;
  }

  /** The whole file as one mapping. */
  static parse(text: string, file: string): YamlSection {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const source = { file, lines };
    const [problem] = document.errors;
    if (problem !== undefined) throw new ConfigurationError(`${file}: not YAML: ${problem.message}`);
    if (!isMap(document.contents)) throw new ConfigurationError(`${file}: expected a mapping with scrape_configs`);
    return new YamlSection(document.contents, source, "the file");
  }

  keys(): readonly string[] {
    return this.#map.items.map((item) => String(isScalar(item.key) ? item.key.value : item.key));
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  /** Refuses the first key that is not known; `explain` may say why a key is refused. */
  onlyKeys(known: ReadonlySet<string>, explain: (key: string) => string | null = () => null): void {
    for (const key of this.keys()) {
      if (known.has(key)) continue;
      this.refuse(key, explain(key) ?? `${this.#name} has no such key; known are ${[...known].join(", ")}`);
    }
  }

  text(key: string): string | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    return typeof value === "string" || typeof value === "number" ? String(value) : this.refuse(key, "expected a text");
  }

  flag(key: string): boolean | undefined {
    const value = this.#scalar(key);
    return value === undefined || typeof value === "boolean" ? value : this.refuse(key, "expected true or false");
  }

  wholeNumber(key: string): number | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    const fits = typeof value === "number" && Number.isInteger(value) && value >= 0;
    return fits ? value : this.refuse(key, "expected a whole number from 0");
  }

  /** A text that `read` understands; undefined from `read` means it doesn't. */
  parsed<T>(key: string, read: (text: string) => T | undefined, expected: string): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    return read(text) ?? this.refuse(key, `expected ${expected}, found "${text}"`);
  }

  texts(key: string): readonly string[] | undefined {
    const items = this.#list(key);
    return items?.map((item) =>
      isScalar(item) && (typeof item.value === "string" || typeof item.value === "number")
        ? String(item.value)
        : this.refuse(key, "expected a list of texts"),
    );
  }

  section(key: string): YamlSection | undefined {
    const node = this.#node(key);
    if (node === undefined) return undefined;
    return isMap(node) ? new YamlSection(node, this.#source, key) : this.refuse(key, "expected a mapping");
  }

  sections(key: string): readonly YamlSection[] | undefined {
    return this.#list(key)?.map((item) =>
      isMap(item) ? new YamlSection(item, this.#source, key) : this.refuse(key, "expected a list of mappings"),
    );
  }

  refuse(key: string, complaint: string): never {
    throw new ConfigurationError(`${this.#source.file}, line ${this.#lineOf(key)}: ${key}: ${complaint}`);
  }

  #scalar(key: string): unknown {
    const node = this.#node(key);
    if (node === undefined) return undefined;
    return isScalar(node) ? node.value : this.refuse(key, "expected one value, not a list or mapping");
  }

  #list(key: string): readonly unknown[] | undefined {
    const node = this.#node(key);
    if (node === undefined) return undefined;
    return isSeq(node) ? node.items : this.refuse(key, "expected a list");
  }

  /** A key without a value says nothing, as in Prometheus. */
  #node(key: string): Node | undefined {
    const node = this.#map.get(key, true) as Node | undefined;
    return node === undefined || (isScalar(node) && node.value === null) ? undefined : node;
  }

  #lineOf(key: string): number {
    const item = this.#map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
    const at = (item?.key as Node | undefined)?.range?.[0] ?? this.#map.range?.[0] ?? 0;
    return this.#source.lines.linePos(at).line;
  }
}
