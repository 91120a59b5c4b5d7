import type { TokenHooks } from "../../../functions/connectors/token-hooks.ts";

export const tokenRequest: TokenHooks["tokenRequest"] = ({
  form: { client_id, client_secret, ...form },
  ...request
}) => ({
  ...request,
  form: {},
  json: { client_key: client_id, client_secret, ...form },
});

export const tokenResponse: TokenHooks["tokenResponse"] = ({ status, body: { ok, reason, data } }) =>
  ok === false
    ? {
        status: 400,
        body: {
          error: reason === "dead" ? "invalid_grant" : "invalid_request",
          error_description: reason,
        },
      }
    : { status, body: data as Record<string, unknown> };
