/** The page of a broken page: an unknown address, or an error that nothing else caught. */
import { Button, Group, Stack } from "@mantine/core";
import { isRouteErrorResponse, Link, useRouteError } from "react-router";
import { ApiFailure } from "../api/failure.ts";
import { FailureAlert } from "./failure-alert.tsx";

export function RouteFailure() {
  const error = useRouteError();
  const isUnknownAddress = isRouteErrorResponse(error) && error.status === 404;
  const shown = isUnknownAddress ? new ApiFailure(404, "There is no page at this address.") : error;
  return (
    <Stack maw={720} mx="auto" mt="xl">
      <FailureAlert title={isUnknownAddress ? "Page not found" : "This page broke"} error={shown} />
      <Group px="md">
        <Button component={Link} to="/dags" variant="light">
          To the DAGs
        </Button>
        <Button variant="subtle" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Group>
    </Stack>
  );
}
