/** Graphs over assets: which DAGs, or which tasks, update them and wait for them. Pure. */
import type { DependenciesResponse } from "@updraft/contract";
import type { AssetDetail, AssetUse } from "@updraft/metadata-store";

type Node = DependenciesResponse["nodes"][number];

/** DAGs that update an asset, the asset, and the DAGs that it starts. */
export function schedulingDependencies(assets: readonly AssetDetail[]): DependenciesResponse {
  return graphOf(assets, (use) => {
    if (use.kind === "consuming_task") return null;
    return { id: `dag:${use.dag_id}`, label: use.dag_id, type: "dag", team: null };
  });
}

/** Tasks that update an asset, the asset, and the tasks that read it. */
export function dataDependencies(assets: readonly AssetDetail[]): DependenciesResponse {
  return graphOf(assets, (use) => {
    if (use.task_id === null) return null;
    const label = `${use.dag_id}.${use.task_id}`;
    return { id: `task:${use.dag_id}__SEPARATOR__${use.task_id}`, label, type: "task", team: null };
  });
}

function graphOf(assets: readonly AssetDetail[], nodeOf: (use: AssetUse) => Node | null): DependenciesResponse {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, DependenciesResponse["edges"][number]>();
  for (const { id, name, uses } of assets) {
    const asset: Node = { id: `asset:${id}`, label: name, type: "asset", team: null };
    for (const use of uses) {
      const node = nodeOf(use);
      if (node === null) continue;
      nodes.set(asset.id, asset).set(node.id, node);
      const [source_id, target_id] = use.kind === "producing_task" ? [node.id, asset.id] : [asset.id, node.id];
      edges.set(`${source_id} ${target_id}`, { source_id, target_id });
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** What is connected with a node, in either direction; null where there is no such node. */
export function componentOf({ nodes, edges }: DependenciesResponse, nodeId: string): DependenciesResponse | null {
  if (!nodes.some(({ id }) => id === nodeId)) return null;
  const reached = new Set([nodeId]);
  const open = [nodeId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const { source_id, target_id } of edges) {
      const other = source_id === id ? target_id : target_id === id ? source_id : null;
      if (other === null || reached.has(other)) continue;
      reached.add(other);
      open.push(other);
    }
  }
  return {
    nodes: nodes.filter(({ id }) => reached.has(id)),
    edges: edges.filter(({ source_id }) => reached.has(source_id)),
  };
}
