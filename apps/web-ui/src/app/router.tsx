/** The addresses of the UI, Airflow's where it has the page. */
import { createBrowserRouter, Navigate } from "react-router";
import { DagListPage } from "../dag-list/dag-list-page.tsx";
import { LoginPage } from "./login-page.tsx";
import { RouteFailure } from "./route-failure.tsx";
import { Shell } from "./shell.tsx";

export function createAppRouter() {
  return createBrowserRouter([
    { path: "/login", element: <LoginPage />, errorElement: <RouteFailure /> },
    {
      path: "/",
      element: <Shell />,
      errorElement: <RouteFailure />,
      children: [
        {
          errorElement: <RouteFailure />,
          children: [
            { index: true, element: <Navigate to="/dags" replace /> },
            { path: "home", element: <Navigate to="/dags" replace /> },
            { path: "dags", element: <DagListPage /> },
          ],
        },
      ],
    },
  ]);
}
