import { assembleStandIn } from "../assemble-stand-in.ts";
import { Grants } from "../authorization/grants.ts";
import { textContent } from "../content.ts";
import { addDemoAccounts } from "../demo-accounts.ts";
import { StandInServer } from "../http/stand-in-server.ts";
import { TokenPages } from "../kit/pages.ts";
import { pageTokens } from "../page-token.ts";
import type { StandIn, StandInOptions } from "../stand-in.ts";
import { keepState } from "../state/state-keeper.ts";
import { googleRules } from "./authorization-rules.ts";
import { driveEndpoints } from "./call.ts";
import { DriveAccounts } from "./drive-accounts.ts";
import { statusAnswer } from "./errors.ts";
import { driveState } from "./kept-accounts.ts";
import { listCalls } from "./list-calls.ts";
import { permissionCalls } from "./permission-calls.ts";
import { publicPages } from "./public-pages.ts";
import { readCalls } from "./read-calls.ts";
import { sharedDriveCalls } from "./shared-drive-calls.ts";
import { writeCalls } from "./write-calls.ts";

const HOSTS = [
  "accounts.google.com",
  "oauth2.googleapis.com",
  "www.googleapis.com",
  "drive.google.com",
  "docs.google.com",
];

/** As in the examples on Google's pages: `"expires_in": 3599`. */
const ACCESS_TOKEN_SECONDS = 3599;

/**
 * Starts a server that stands in for Google Drive: Google's OAuth 2 with PKCE and offline access, and
 * version 3 of the Drive API. `close()` ends it.
 * @throws {Error} the port is in use, or the state of an earlier run cannot be read
 */
export async function startGoogleDrive(options: StandInOptions): Promise<StandIn> {
  const server = new StandInServer(options.clock);
  const grants = new Grants(
    options.clock,
    {
      accessTokenPrefix: "ya29.",
      refreshTokenPrefix: "1//0",
      codePrefix: "4/0A",
      codeLifetimeMs: 10 * 60_000,
      // "There is currently a limit of 100 refresh tokens per Google Account per OAuth 2.0 client ID."
      maxGrantsPerUserAndClient: 100,
    },
    ACCESS_TOKEN_SECONDS,
  );
  const accounts = new DriveAccounts(options.clock);
  const keeper = keepState(options.dataFolder, driveState(accounts, grants), () => {
    addDemoAccounts(accounts);
    accounts.addDocument(
      "ada@example.com",
      "Lecture plan",
      textContent("Lecture plan\n\n1. What an engine may do\n2. What it may not\n"),
    );
  });
  const origin = await server.listen(options.port ?? 0);
  const pages = new TokenPages(pageTokens(), server.switches);
  const calls = [
    ...listCalls(pages),
    ...sharedDriveCalls(pages),
    ...readCalls(pages),
    ...writeCalls(),
    ...permissionCalls,
  ];
  return assembleStandIn({
    connector: "googledrive",
    server,
    options,
    grants,
    rules: googleRules,
    files: accounts,
    keeper,
    vendor: {
      hosts: HOSTS,
      endpoints: [
        ...driveEndpoints(calls, grants, accounts, { publicOrigin: origin, switches: server.switches }),
        ...publicPages(accounts),
      ],
      unknown: () => ({
        status: 404,
        headers: { "Content-Type": "text/html; charset=UTF-8" },
        body: "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)</title><p><b>404.</b> The requested URL was not found on this server.",
      }),
      faultAnswer: statusAnswer,
    },
  });
}
