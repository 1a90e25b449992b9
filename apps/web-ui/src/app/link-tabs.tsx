/** Tabs whose place is in the address. */
import { Tabs } from "@mantine/core";
import { useNavigate } from "react-router";

export interface LinkTab {
  /** The tab's part of the address; empty for the first. */
  readonly value: string;
  readonly label: string;
}

interface LinkTabsProps {
  readonly label: string;
  readonly tabs: readonly LinkTab[];
  readonly current: string;
  pathOf(tab: string): string;
}

const FIRST = "index";

export function LinkTabs({ label, tabs, current, pathOf }: LinkTabsProps) {
  const navigate = useNavigate();
  return (
    <Tabs
      value={current || FIRST}
      onChange={(value) => void navigate(pathOf(value === FIRST ? "" : (value ?? "")))}
      mb="md"
    >
      <Tabs.List aria-label={label}>
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.value} value={tab.value || FIRST}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}
