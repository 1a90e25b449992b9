/** How tasks, groups and joins look in the graph. */
import type { GridTaskSummary } from "@updraft/contract";
import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { Minus, Plus } from "lucide-react";
import type { CSSProperties } from "react";
import { StateIcon, stateColor } from "../state/state-badge.tsx";
import { childStatesWords, stateWords } from "../state/state-names.ts";
import styles from "./graph.module.css";
import type { PlacedNode } from "./graph-layout.ts";

/** A mapped type, since the library wants an index signature, which interfaces lack. */
export type NodeData = Pick<PlacedNode, keyof PlacedNode> & {
  readonly summary: GridTaskSummary | undefined;
  readonly toggle: (groupId: string) => void;
};
type GraphNodeProps = NodeProps<Node<NodeData>>;

function TaskNode({ data }: GraphNodeProps) {
  const { summary } = data;
  const state = summary === undefined ? null : stateWords(summary.state);
  const children = summary?.child_states ? ` (${childStatesWords(summary.child_states)})` : "";
  const title = [data.id, data.operator, state === null ? null : state + children].filter(Boolean).join("\n");
  const style = {
    "--node-state": summary === undefined ? "var(--mantine-color-default-border)" : stateColor(summary.state),
  };
  return (
    <div className={styles.task} style={style as CSSProperties} title={title} data-task-id={data.id}>
      <Ends />
      <b>
        {data.label}
        {data.isMapped && " [ ]"}
      </b>
      <small>
        {summary !== undefined && <StateIcon state={summary.state} />}
        {state ?? data.operator}
      </small>
      {data.kind === "closed-group" && <GroupToggle data={data} />}
    </div>
  );
}

function GroupNode({ data }: GraphNodeProps) {
  return (
    <div className={styles.group} title={data.id}>
      <GroupToggle data={data} />
    </div>
  );
}

function GroupToggle({ data }: { readonly data: NodeData }) {
  const isClosed = data.kind === "closed-group";
  const Icon = isClosed ? Plus : Minus;
  const words = isClosed ? "Open the group" : data.label;
  return (
    <button
      type="button"
      className="nodrag"
      aria-expanded={!isClosed}
      aria-label={`${isClosed ? "Open" : "Close"} the group ${data.label}`}
      onClick={() => data.toggle(data.id)}
    >
      <Icon size={12} aria-hidden="true" /> {words}
    </button>
  );
}

function JoinNode() {
  return (
    <div className={styles.join}>
      <Ends />
    </div>
  );
}

function Ends() {
  return (
    <>
      <Handle type="target" position={Position.Left} className={styles.handle ?? ""} isConnectable={false} />
      <Handle type="source" position={Position.Right} className={styles.handle ?? ""} isConnectable={false} />
    </>
  );
}

export const NODE_TYPES = { task: TaskNode, join: JoinNode, frame: GroupNode };

/** "group" is a name that the library gives a look of its own. */
export const FLOW_TYPES: Readonly<Record<PlacedNode["kind"], keyof typeof NODE_TYPES>> = {
  task: "task",
  join: "join",
  group: "frame",
  "closed-group": "task",
};
