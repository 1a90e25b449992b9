/** Whether what is shown is live. */
import { Badge, Tooltip } from "@mantine/core";
import { Radio, WifiOff } from "lucide-react";
import type { LiveStatus } from "../live/event-stream.ts";
import { useLiveStatus } from "../live/live-updates.ts";

const LOOKS: Readonly<Record<LiveStatus, { readonly words: string; readonly color: string; readonly title: string }>> =
  {
    live: { words: "live", color: "teal", title: "Connected: changes show at once." },
    connecting: { words: "connecting", color: "gray", title: "Connecting to the server's live events." },
    down: {
      words: "reconnecting",
      color: "orange",
      title: "Not connected to the server's live events. What is shown is fetched again every few seconds.",
    },
  };

export function ConnectionIndicator() {
  const status = useLiveStatus();
  const { words, color, title } = LOOKS[status];
  const Icon = status === "down" ? WifiOff : Radio;
  return (
    <Tooltip label={title} multiline maw={280}>
      <Badge
        color={color}
        variant="light"
        role="status"
        tt="none"
        leftSection={<Icon size={12} aria-hidden="true" />}
        data-live-status={status}
      >
        {words}
      </Badge>
    </Tooltip>
  );
}
