/** The addresses of the UI, Airflow's where it has the page. */
import { createBrowserRouter, Navigate } from "react-router";
import { DagListPage } from "../dag-list/dag-list-page.tsx";
import { DagPage } from "../dag-page/dag-page.tsx";
import { DetailsTab } from "../dag-page/details-tab.tsx";
import { RunsTab } from "../dag-page/runs-tab.tsx";
import { TasksTab } from "../dag-page/tasks-tab.tsx";
import { GridTab } from "../grid/grid-tab.tsx";
import { RunPage } from "../run-page/run-page.tsx";
import { TaskPage } from "../task-page/task-page.tsx";
import { LoginPage } from "./login-page.tsx";
import { RouteFailure } from "./route-failure.tsx";
import { Shell } from "./shell.tsx";

export function createAppRouter() {
  return createBrowserRouter([
    { path: "/login", element: <LoginPage />, errorElement: <RouteFailure /> },
    {
      path: "/",
      element: <Shell />,
      // The page's own place-holders say what is loading.
      hydrateFallbackElement: <></>,
      errorElement: <RouteFailure />,
      children: [
        {
          errorElement: <RouteFailure />,
          children: [
            { index: true, element: <Navigate to="/dags" replace /> },
            { path: "home", element: <Navigate to="/dags" replace /> },
            { path: "dags", element: <DagListPage /> },
            {
              path: "dags/:dagId",
              element: <DagPage />,
              children: [
                { index: true, element: <GridTab /> },
                {
                  path: "graph",
                  lazy: async () => ({ Component: (await import("../dag-page/graph-tab.tsx")).GraphTab }),
                },
                { path: "runs", element: <RunsTab /> },
                { path: "tasks", element: <TasksTab /> },
                { path: "code", lazy: async () => ({ Component: (await import("../dag-page/code-tab.tsx")).CodeTab }) },
                { path: "details", element: <DetailsTab /> },
              ],
            },
            { path: "dags/:dagId/runs/:runId", element: <RunPage /> },
            { path: "dags/:dagId/runs/:runId/tasks/:taskId", element: <TaskPage /> },
          ],
        },
      ],
    },
  ]);
}
