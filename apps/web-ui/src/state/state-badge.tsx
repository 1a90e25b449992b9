/** A state as colour, icon and words, so that none of them has to carry it alone. */
import { Badge } from "@mantine/core";
import {
  Ban,
  Check,
  CircleDashed,
  CircleDot,
  CircleSlash,
  Clock,
  Hourglass,
  ListOrdered,
  LoaderCircle,
  type LucideIcon,
  MessageCircleQuestion,
  RefreshCw,
  RotateCcw,
  SkipForward,
  Timer,
  X,
} from "lucide-react";
import { type StateName, stateName, stateWords } from "./state-names.ts";

const ICONS: Readonly<Record<StateName, LucideIcon>> = {
  success: Check,
  running: LoaderCircle,
  failed: X,
  upstream_failed: CircleSlash,
  skipped: SkipForward,
  up_for_retry: RotateCcw,
  up_for_reschedule: Timer,
  queued: ListOrdered,
  scheduled: Clock,
  deferred: Hourglass,
  awaiting_input: MessageCircleQuestion,
  removed: Ban,
  restarting: RefreshCw,
  none: CircleDashed,
};

interface StateProps {
  readonly state: string | null | undefined;
}

export function StateIcon({ state, size = 12 }: StateProps & { readonly size?: number }) {
  const Icon = ICONS[stateName(state)] ?? CircleDot;
  return <Icon size={size} strokeWidth={3} aria-hidden="true" />;
}

export function StateBadge({ state, size = "sm" }: StateProps & { readonly size?: "xs" | "sm" | "md" | "lg" }) {
  return (
    <Badge
      size={size}
      leftSection={<StateIcon state={state} />}
      style={{ backgroundColor: stateColor(state), color: stateTextColor(state), textTransform: "none" }}
    >
      {stateWords(state)}
    </Badge>
  );
}

export function stateColor(state: string | null | undefined): string {
  return `var(--state-${stateName(state)})`;
}

export function stateTextColor(state: string | null | undefined): string {
  return `var(--state-text-${stateName(state)})`;
}
