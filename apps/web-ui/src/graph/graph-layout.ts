/**
 * Places tasks, groups and their edges for the graph, left to right. Pure, but for dagre's arithmetic.
 *
 * dagre takes no edges that end at a node with children. Such edges, and those that end in a closed group, are led to a
 * node that is shown; the points between which Airflow joins the edges of a group ("join") are shown as dots.
 */
import dagre from "@dagrejs/dagre";
import type { StructureNode } from "@updraft/contract";
import type { StructureData } from "../api/grid.ts";

export interface PlacedNode {
  readonly id: string;
  readonly label: string;
  readonly kind: "task" | "join" | "group" | "closed-group";
  readonly operator: string | null;
  readonly isMapped: boolean;
  /** Left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly label: string | null;
}

export interface PlacedGraph {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

const TASK_HEIGHT = 52;
const LEAST_TASK_WIDTH = 130;
const MOST_TASK_WIDTH = 320;
const CHARACTER_WIDTH = 7.6;
const JOIN_SIZE = 8;

interface FlatNode {
  readonly node: StructureNode;
  readonly parentId: string | null;
  readonly kind: PlacedNode["kind"];
}

export function placeGraph(structure: StructureData, closedGroups: ReadonlySet<string>): PlacedGraph {
  const flat = flatten(structure.nodes, closedGroups, null);
  const standIns = standInsOf(structure.nodes, closedGroups);
  const edges = shownEdges(structure, standIns);
  const graph = new dagre.graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 48 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { node, kind } of flat) graph.setNode(node.id, sizeOf(node, kind));
  for (const { node, parentId } of flat) if (parentId !== null) graph.setParent(node.id, parentId);
  for (const edge of edges) graph.setEdge(edge.source, edge.target);
  dagre.layout(graph);
  return { nodes: flat.map(({ node, kind }) => placed(node, kind, graph.node(node.id))), edges };
}

function flatten(
  nodes: readonly StructureNode[],
  closedGroups: ReadonlySet<string>,
  parentId: string | null,
): readonly FlatNode[] {
  return nodes.flatMap((node): readonly FlatNode[] => {
    if (!isGroup(node)) return [{ node, parentId, kind: node.type }];
    if (closedGroups.has(node.id)) return [{ node, parentId, kind: "closed-group" }];
    return [{ node, parentId, kind: "group" }, ...flatten(node.children ?? [], closedGroups, node.id)];
  });
}

/** For every node the one that is shown in its place: itself, the closed group it is in, or the first of an open one. */
function standInsOf(nodes: readonly StructureNode[], closedGroups: ReadonlySet<string>): ReadonlyMap<string, string> {
  const standIns = new Map<string, string>();
  const visit = (node: StructureNode, closedIn: string | null): string => {
    const within = closedIn ?? (isGroup(node) && closedGroups.has(node.id) ? node.id : null);
    const inside = (node.children ?? []).map((child) => visit(child, within));
    const shown = within ?? inside[0] ?? node.id;
    standIns.set(node.id, shown);
    return shown;
  };
  for (const node of nodes) visit(node, null);
  return standIns;
}

function shownEdges(structure: StructureData, standIns: ReadonlyMap<string, string>): readonly PlacedEdge[] {
  const edges = new Map<string, PlacedEdge>();
  for (const edge of structure.edges) {
    const source = standIns.get(edge.source_id);
    const target = standIns.get(edge.target_id);
    if (source === undefined || target === undefined || source === target) continue;
    const id = `${source}→${target}`;
    edges.set(id, { id, source, target, label: edge.label ?? edges.get(id)?.label ?? null });
  }
  return [...edges.values()];
}

function sizeOf(node: StructureNode, kind: PlacedNode["kind"]): { width: number; height: number } {
  if (kind === "join") return { width: JOIN_SIZE, height: JOIN_SIZE };
  const wanted = node.label.length * CHARACTER_WIDTH + 44;
  return { width: Math.min(MOST_TASK_WIDTH, Math.max(LEAST_TASK_WIDTH, wanted)), height: TASK_HEIGHT };
}

interface DagreNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function placed(node: StructureNode, kind: PlacedNode["kind"], at: DagreNode): PlacedNode {
  return {
    id: node.id,
    label: node.label,
    kind,
    operator: node.operator,
    isMapped: node.is_mapped === true,
    x: at.x - at.width / 2,
    y: at.y - at.height / 2,
    width: at.width,
    height: at.height,
  };
}

function isGroup(node: StructureNode): boolean {
  return node.children !== null && node.children !== undefined && node.children.length > 0;
}
