/** Starts the UI in the page. */
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./state/states.css";
import { createTheme, MantineProvider } from "@mantine/core";
import { Notifications, notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { adviceFor, messageOf } from "./api/failure.ts";
import { createQueryClient } from "./api/query-client.ts";
import { loginPathFor } from "./app/next-path.ts";
import { createAppRouter } from "./app/router.tsx";

const theme = createTheme({ primaryColor: "teal", primaryShade: { light: 9, dark: 7 }, autoContrast: true });
const router = createAppRouter();
const queryClient = createQueryClient({
  onSignedOut: () => {
    const { pathname, search } = router.state.location;
    if (pathname !== "/login") void router.navigate(loginPathFor(pathname + search), { replace: true });
  },
  onChangeFailed: (error) =>
    notifications.show({ color: "red", title: messageOf(error), message: adviceFor(error), autoClose: 10_000 }),
});

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element #root to start the UI in.");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
