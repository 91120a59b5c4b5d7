import { assembleStandIn } from "../assemble-stand-in.ts";
import { Grants } from "../authorization/grants.ts";
import { addDemoAccounts } from "../demo-accounts.ts";
import { StandInServer } from "../http/stand-in-server.ts";
import { pageTokens } from "../page-token.ts";
import type { StandIn, StandInOptions } from "../stand-in.ts";
import { keepState } from "../state/state-keeper.ts";
import { dropboxRules, teamTokenAnswer } from "./authorization-rules.ts";
import { apiEndpoints } from "./call.ts";
import { downloadCalls, TemporaryLinks } from "./download-calls.ts";
import { DropboxAccounts } from "./dropbox-accounts.ts";
import { entryCalls } from "./entry-calls.ts";
import { badInputAnswer, statusAnswer } from "./errors.ts";
import { dropboxState } from "./kept-accounts.ts";
import { listFolderCalls, longpollEndpoint } from "./list-folder-calls.ts";
import { searchCalls } from "./search-calls.ts";
import { SharedLinks } from "./shared-link-calls.ts";
import { teamCalls } from "./team-calls.ts";
import { uploadCalls } from "./upload-calls.ts";
import { usersCalls } from "./users-calls.ts";

const HOSTS = ["www.dropbox.com", "api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com"];

/** As in the examples of https://www.dropbox.com/developers/documentation/http/documentation#oauth2-token */
const ACCESS_TOKEN_SECONDS = 14_400;

/**
 * Starts a server that stands in for Dropbox: OAuth 2 with PKCE and offline access, and the files, sharing
 * and users calls of API version 2. `close()` ends it.
 * @throws {Error} the port is in use, or the state of an earlier run cannot be read
 */
export async function startDropbox(options: StandInOptions): Promise<StandIn> {
  const server = new StandInServer(options.clock);
  const grants = new Grants(
    options.clock,
    {
      accessTokenPrefix: "sl.u.",
      refreshTokenPrefix: "",
      codePrefix: "",
      codeLifetimeMs: 10 * 60_000,
      maxGrantsPerUserAndClient: 1000,
    },
    ACCESS_TOKEN_SECONDS,
  );
  const accounts = new DropboxAccounts(options.clock);
  const tokens = pageTokens();
  /** Apps that admins connect to their whole team. */
  const teamApps = new Set<string>();
  const temporaryLinks = new TemporaryLinks(() => options.clock.now());
  const sharedLinks = new SharedLinks(() => server.origin, tokens);
  const keeper = keepState(options.dataFolder, dropboxState(accounts, grants, sharedLinks), () =>
    addDemoAccounts(accounts),
  );
  const origin = await server.listen(options.port ?? 0);
  const calls = {
    ...usersCalls(grants),
    ...teamCalls(accounts, tokens),
    ...listFolderCalls(tokens, server.switches),
    ...entryCalls,
    ...uploadCalls(),
    ...downloadCalls(temporaryLinks, origin),
    ...searchCalls(tokens),
    ...sharedLinks.calls(),
  };
  return assembleStandIn({
    connector: "dropbox",
    server,
    options,
    grants,
    rules: {
      ...dropboxRules,
      tokenAnswer: (issued) =>
        teamApps.has(issued.grant.clientId)
          ? teamTokenAnswer(dropboxRules.tokenAnswer(issued))
          : dropboxRules.tokenAnswer(issued),
    },
    shared: (app) => teamApps.add(app.clientId),
    files: accounts,
    keeper,
    lostCursor: {
      path: "/2/files/list_folder/continue",
      status: 409,
      body: '{"error_summary": "reset/..", "error": {".tag": "reset"}}',
      contentType: "application/json",
    },
    vendor: {
      hosts: HOSTS,
      endpoints: [
        ...apiEndpoints(calls, grants, accounts, (clientId) => teamApps.has(clientId)),
        longpollEndpoint(tokens, accounts),
        temporaryLinks.endpoint(["content.dropboxapi.com"]),
        sharedLinks.endpoint(),
      ],
      unknown: (request) =>
        request.path.startsWith("/2/")
          ? badInputAnswer(request.path.slice("/2/".length), "Unknown API function.")
          : { status: 404, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: "Not Found" },
      faultAnswer: statusAnswer,
    },
  });
}
