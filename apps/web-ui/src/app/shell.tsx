/** The frame of every page behind sign-in: header, navigation, and the connection to the server's live events. */
import { ActionIcon, Anchor, AppShell, Button, Group, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { CircleHelp, LogOut, Wind } from "lucide-react";
import { Suspense } from "react";
import { Link, NavLink, Outlet } from "react-router";
import { useMe, useUiConfig } from "../api/session.ts";
import { useLiveUpdates } from "../live/live-updates.ts";
import { ColorSchemeToggle } from "./color-scheme-toggle.tsx";
import { ConnectionIndicator } from "./connection-indicator.tsx";
import { QueryContent } from "./query-content.tsx";
import { useShortcuts } from "./shortcuts.tsx";

const DEFAULT_POLL_SECONDS = 3;

/** Nothing is asked for before it is known who asks: one refusal is enough to lead to sign-in. */
export function Shell() {
  return (
    <QueryContent query={useMe()} what="the session">
      {(me) => <SignedInShell username={me.username} />}
    </QueryContent>
  );
}

function SignedInShell({ username }: { readonly username: string }) {
  const config = useUiConfig();
  useLiveUpdates((config.data?.auto_refresh_interval || DEFAULT_POLL_SECONDS) * 1000);
  const { help, showHelp } = useShortcuts();
  return (
    <AppShell header={{ height: 52 }} padding="md">
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="lg" wrap="nowrap">
            <Anchor component={Link} to="/dags" underline="never" c="inherit" aria-label="Updraft, to the DAGs">
              <Group gap={6} wrap="nowrap">
                <Wind size={22} color="var(--mantine-color-teal-6)" aria-hidden="true" />
                <Text fw={700}>{config.data?.instance_name || "Updraft"}</Text>
              </Group>
            </Anchor>
            <nav aria-label="Main">
              <Button component={NavLink} to="/dags" variant="subtle" size="compact-md" color="gray">
                DAGs
              </Button>
            </nav>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ConnectionIndicator />
            <Tooltip label="Keys (?)">
              <ActionIcon variant="subtle" color="gray" aria-label="Show keys" onClick={showHelp}>
                <CircleHelp size={18} aria-hidden="true" />
              </ActionIcon>
            </Tooltip>
            <ColorSchemeToggle />
            <SignOut username={username} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main>
        <Suspense fallback={<VisuallyHidden>Loading the page</VisuallyHidden>}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      {help}
    </AppShell>
  );
}

function SignOut({ username }: { readonly username: string }) {
  const label = `Sign out ${username}`;
  return (
    <Tooltip label={label}>
      <ActionIcon component="a" href="/auth/logout" variant="subtle" color="gray" aria-label={label}>
        <LogOut size={18} aria-hidden="true" />
      </ActionIcon>
    </Tooltip>
  );
}
