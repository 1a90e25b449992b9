/** Sign-in. Afterwards the page that was asked for. */
import { Alert, Button, Center, Paper, PasswordInput, Stack, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { ApiFailure, messageOf } from "../api/failure.ts";
import { signIn } from "../api/session.ts";
import { nextPath } from "./next-path.ts";

export function LoginPage() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [parameters] = useSearchParams();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const login = useMutation({
    mutationFn: () => signIn(username, password),
    onSuccess: () => {
      queryClient.clear();
      void navigate(nextPath(parameters.get("next")), { replace: true });
    },
    meta: { showsOwnFailure: true },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w={360} component="form" onSubmit={submit}>
        <Stack>
          <Title order={1} size="h2">
            Updraft
          </Title>
          {login.isError && (
            <Alert color="red" role="alert">
              {failureText(login.error)}
            </Alert>
          )}
          <TextInput
            label="User name"
            name="username"
            autoComplete="username"
            required
            autoFocus
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" loading={login.isPending}>
            Sign in
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}

function failureText(error: unknown): string {
  const wrong = error instanceof ApiFailure && error.status === 401;
  return wrong ? "The user name or the password is wrong. Check both and try again." : messageOf(error);
}
