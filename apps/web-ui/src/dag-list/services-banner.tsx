/** Which servers beside the product still start, and that tasks which need them wait for that. */
import { Alert, List, Loader } from "@mantine/core";
import type { ServiceState } from "@updraft/contract";
import { TriangleAlert } from "lucide-react";
import { useServices } from "../api/services.ts";

export function ServicesBanner() {
  const services = useServices().data?.services ?? [];
  const failed = services.filter((service) => service.state === "failed");
  const starting = services.filter((service) => service.state === "starting");
  if (failed.length === 0 && starting.length === 0) return null;
  const title = failed.length > 0 ? "Servers did not start" : "Servers are starting";
  return (
    <Alert
      color={failed.length > 0 ? "red" : "blue"}
      title={title}
      role="status"
      icon={failed.length > 0 ? <TriangleAlert aria-hidden="true" /> : <Loader size={18} />}
      mb="md"
    >
      Tasks that need them wait or fail and are retried; everything else runs.
      <List size="sm" mt={4}>
        {[...failed, ...starting].map((service) => (
          <List.Item key={service.name}>
            <b>{service.name}</b>: {wordsOf(service)}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function wordsOf(service: ServiceState): string {
  const state = service.state === "failed" ? "failed" : "starting";
  return service.detail === null ? state : `${state}, ${service.detail}`;
}
