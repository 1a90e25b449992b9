import type { StructureNode } from "@updraft/contract";
import { describe, expect, it } from "vitest";
import type { StructureData } from "../src/api/grid.ts";
import { type PlacedNode, placeGraph } from "../src/graph/graph-layout.ts";

const REST = {
  team: null,
  tooltip: null,
  setup_teardown_type: null,
  operator: null,
  asset_condition_type: null,
} as const;

function task(id: string): StructureNode {
  return { ...REST, id, label: id, type: "task", children: null, is_mapped: null };
}

function group(id: string, ...children: StructureNode[]): StructureNode {
  return { ...task(id), children };
}

function edges(...pairs: (readonly [string, string])[]): StructureData["edges"] {
  const rest = { is_setup_teardown: null, label: null, is_source_asset: null };
  return pairs.map(([source_id, target_id]) => ({ source_id, target_id, ...rest }));
}

const GROUPED: StructureData = {
  nodes: [task("a"), group("g", task("g.b"), task("g.c")), task("d")],
  edges: edges(["a", "g.b"], ["g.b", "g.c"], ["g.c", "d"]),
};

function nodeOf(nodes: readonly PlacedNode[], id: string): PlacedNode {
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
}

describe("placeGraph", () => {
  it("puts what comes later further right", () => {
    const { nodes } = placeGraph(GROUPED, new Set());
    expect(nodeOf(nodes, "a").x).toBeLessThan(nodeOf(nodes, "g.b").x);
    expect(nodeOf(nodes, "g.c").x).toBeLessThan(nodeOf(nodes, "d").x);
  });

  it("draws a group around what it holds", () => {
    const { nodes } = placeGraph(GROUPED, new Set());
    const [frame, inner] = [nodeOf(nodes, "g"), nodeOf(nodes, "g.c")];
    expect(frame.x).toBeLessThanOrEqual(inner.x);
    expect(frame.x + frame.width).toBeGreaterThanOrEqual(inner.x + inner.width);
    expect(frame.y + frame.height).toBeGreaterThanOrEqual(inner.y + inner.height);
  });

  it("leads the edges of a closed group to the group, each once", () => {
    const { nodes, edges: shown } = placeGraph(GROUPED, new Set(["g"]));
    expect(nodes.map((node) => node.kind)).toEqual(["task", "closed-group", "task"]);
    expect(shown.map((edge) => edge.id)).toEqual(["a→g", "g→d"]);
  });

  it("takes edges that end at an open group", () => {
    const structure = { nodes: [task("a"), group("g", task("g.b"))], edges: edges(["a", "g"]) };
    expect(placeGraph(structure, new Set()).edges).toMatchObject([{ source: "a", target: "g.b" }]);
  });

  it("leaves out edges to nodes that are not there", () => {
    expect(placeGraph({ nodes: [task("a")], edges: edges(["a", "gone"]) }, new Set()).edges).toEqual([]);
  });

  it("places nothing for nothing", () => {
    expect(placeGraph({ nodes: [], edges: [] }, new Set())).toEqual({ nodes: [], edges: [] });
  });
});
