/** The graph of a DAG, each task in the state it has in one run. Groups open and close; tasks lead to their page. */
import "@xyflow/react/dist/style.css";
import { useComputedColorScheme } from "@mantine/core";
import { Background, Controls, type Edge, MarkerType, MiniMap, type Node, ReactFlow } from "@xyflow/react";
import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import type { StructureData, TaskSummaries } from "../api/grid.ts";
import { taskPagePath } from "../app/paths.ts";
import styles from "./graph.module.css";
import { type PlacedGraph, placeGraph } from "./graph-layout.ts";
import { FLOW_TYPES, NODE_TYPES, type NodeData } from "./graph-nodes.tsx";

const MINIMAP_FROM_NODES = 30;

interface GraphProps {
  readonly dagId: string;
  readonly structure: StructureData;
  readonly run: { readonly runId: string; readonly tasks: TaskSummaries | undefined } | null;
}

export function Graph({ dagId, structure, run }: GraphProps) {
  const navigate = useNavigate();
  const colorMode = useComputedColorScheme("light");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const graph = useMemo(() => placeGraph(structure, closed), [structure, closed]);
  const nodes = useMemo(() => {
    const toggle = (id: string): void =>
      setClosed((before) =>
        before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id]),
      );
    return flowNodes(graph, run?.tasks, toggle);
  }, [graph, run?.tasks]);
  const edges = useMemo(() => flowEdges(graph), [graph]);
  return (
    <div className={styles.canvas}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={colorMode}
        fitView
        fitViewOptions={{ maxZoom: 1 }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        onlyRenderVisibleElements
        onNodeClick={(_event, node) => {
          if (run !== null && node.data.kind === "task") void navigate(taskPagePath(dagId, run.runId, node.id));
        }}
      >
        <Background />
        <Controls showInteractive={false} />
        {nodes.length >= MINIMAP_FROM_NODES && <MiniMap pannable zoomable />}
      </ReactFlow>
    </div>
  );
}

function flowNodes(
  graph: PlacedGraph,
  tasks: TaskSummaries | undefined,
  toggle: (id: string) => void,
): Node<NodeData>[] {
  return graph.nodes.map((node) => ({
    id: node.id,
    type: FLOW_TYPES[node.kind],
    position: { x: node.x, y: node.y },
    width: node.width,
    height: node.height,
    data: { ...node, summary: tasks?.get(node.id), toggle },
    selectable: node.kind === "task",
    zIndex: node.kind === "group" ? -1 : 1,
  }));
}

function flowEdges(graph: PlacedGraph): Edge[] {
  return graph.edges.map(({ id, source, target, label }) => ({
    id,
    source,
    target,
    ...(label === null ? {} : { label }),
    markerEnd: { type: MarkerType.ArrowClosed },
  }));
}
