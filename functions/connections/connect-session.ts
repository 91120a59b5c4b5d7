import { randomBytes } from "node:crypto";
import type { Connector } from "../connectors/define-connector.ts";
import { endpointFields } from "../core/endpoint/endpoint.ts";
import { InvalidRequest } from "../core/errors.ts";
import { checkConfiguration } from "../core/instances/budgets.ts";
import type { Instance, Sealed } from "../core/instances/instance.ts";
import { chooseClient } from "../core/oauth/choose-client.ts";
import { signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import { hashSecret } from "../core/secret-hash.ts";
import { isReturnUrlAllowed } from "../core/tenants/allow-lists.ts";
import type { Organization, User } from "../core/tenants/ports.ts";
import type { TransientItem, TransientStore } from "../core/transients.ts";
import type { SealedPlace } from "../core/vault/ports.ts";
import { connectorNamed } from "../http/named-connector.ts";
import { type HttpRequest, json } from "../http/request.ts";
import type { SessionBody } from "./bodies.ts";
import { type ConfigurationValues, readConfiguration } from "./configuration-values.ts";
import type { ConnectionHandle } from "./contracts.ts";
import { oauthClientOf } from "./create-instance.ts";
import type { ConnectionDeps } from "./deps.ts";
import { elementKeyOrId } from "./instance-body.ts";
import { instanceOfUser } from "./own-instance.ts";

/**
 * Time limit from the session's creation until the vendor sends the user back, and the same again until the
 * claim.
 */
export const SESSION_MS = 30 * 60_000;

/** One user's session in the hosted flow: item `session#<id>`. */
export interface ConnectSession extends TransientItem {
  /** `refused`: claimed for an end user who did not begin the session. */
  readonly status: "open" | "connected" | "claimed" | "refused";
  readonly sessionId: string;
  readonly organizationId: string;
  readonly userId: string;
  /** Connector keys to choose from. */
  readonly connectors: readonly string[];
  readonly returnUrl: string;
  /** Hash of the app's own id for its signed-in user. */
  readonly endUser: string;
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  /** Secret configuration as JSON, including the OAuth client's secret. */
  readonly sealedConfiguration?: Sealed;
  /**
   * The instance that the user signs in to again; in an old session (see `claim`), the connected instance.
   */
  readonly instanceId?: number;
  readonly reauthenticates: boolean;
  /**
   * The pending sign-in of a connected session; the claim makes it live. Absent in a session that an older
   * version connected (see `claim`).
   */
  readonly pending?: {
    readonly instanceId: number;
    readonly epoch: string;
    /** Hash of the claim. */
    readonly claim: string;
  };
  /** Id of the one claim call whose answer holds the token. */
  readonly claimedBy?: string;
  /** Hash of the cookie of the browser that the session is bound to: the first one that posted the form. */
  readonly browser?: string;
  /** Hash of the claim of a session that an older version connected: its instance, `instanceId`, works before the claim. */
  readonly claim?: string;
}

/** Longest return URL as it stands in a redirect. */
const MAX_ENCODED_RETURN_URL = 6_000;

/** POST /connect/sessions */
export function createSession(deps: () => ConnectionDeps): ConnectionHandle<"connect.sessions.create"> {
  return async (request, { caller: { organization, user }, body }) => {
    const { tenants, transients, grants, discover } = deps();
    if (!isReturnUrlAllowed(organization, body.returnUrl)) {
      throw new InvalidRequest(
        "returnUrl is not on the organization's list of return URLs (npm run admin)",
        "returnUrl",
        "return_url_not_allowed",
      );
    }
    // The browser's redirect carries it, and API Gateway allows 10,240 bytes for all headers of an answer together.
    if (new URL(body.returnUrl).href.length > MAX_ENCODED_RETURN_URL) {
      throw new InvalidRequest(
        `returnUrl is too long: at most ${MAX_ENCODED_RETURN_URL} characters once it is percent-encoded`,
        "returnUrl",
      );
    }
    const asked = await readAsked(deps(), request, user, body);
    await checkClients({ tenants, discover }, organization, asked);
    const { chosen, again, values } = asked;
    const sessionId = `cs_${randomBytes(24).toString("base64url")}`;
    const secret = values?.secret ?? {};
    const sealed =
      Object.keys(secret).length === 0
        ? undefined
        : await grants.vault.seal(sessionPlace(organization.id, sessionId), JSON.stringify(secret));
    const session: ConnectSession = {
      id: sessionItem(sessionId),
      expiresAt: transients.now() + SESSION_MS,
      status: "open",
      sessionId,
      organizationId: organization.id,
      userId: user.id,
      connectors: chosen.map(({ key }) => key),
      returnUrl: body.returnUrl,
      endUser: hashSecret(body.endUser),
      ...(body.name === undefined || body.name === "" ? {} : { name: body.name }),
      ...present({ tags: body.tags, sealedConfiguration: sealed, instanceId: again?.id }),
      configuration:
        chosen[0] === undefined || values === undefined ? {} : configurationOf(again, chosen[0], values),
      reauthenticates: again !== undefined,
    };
    // Ignores a failed condition: the id is random, so only this put itself, repeated by the SDK, can have
    // stored the item.
    await transients.put(session);
    return json(
      {
        id: sessionId,
        connectUrl: `${request.baseUrl}/connect/${sessionId}`,
        expiresAt: new Date(session.expiresAt).toISOString(),
      },
      { "Cache-Control": "no-store" },
    );
  };
}

/** The purpose of a session: connectors to choose from, or an instance to sign in to again. */
interface Asked {
  readonly chosen: readonly Connector[];
  readonly again: Instance | undefined;
  /** Configuration values; only if there is exactly one connector to choose. */
  readonly values: ConfigurationValues | undefined;
}

async function readAsked(
  deps: ConnectionDeps,
  request: HttpRequest,
  user: User,
  body: SessionBody,
): Promise<Asked> {
  const again =
    body.instanceId === undefined ? undefined : (await instanceOfUser(deps, user, body.instanceId)).instance;
  if (again !== undefined) request.logContext.instanceId = again.id;
  const chosen = again === undefined ? await connectorsOf(body) : [await connectorNamed(again.connector)];
  const [only] = chosen;
  if (body.configuration !== undefined && chosen.length > 1) {
    throw new InvalidRequest("configuration is allowed only with a single element", "configuration");
  }
  const values = only === undefined ? undefined : readConfiguration(only, body.configuration ?? {});
  if (values !== undefined) checkConfiguration(values);
  return { chosen, again, values };
}

/**
 * Checks that the user can sign in to each connector: its URLs are complete, and it has an OAuth client.
 * @throws {LinkspanError} 400, 404
 */
async function checkClients(
  { tenants, discover }: Pick<ConnectionDeps, "tenants" | "discover">,
  organization: Organization,
  { chosen, again, values }: Asked,
): Promise<void> {
  const ownKey = values?.plain["oauth.api.key"];
  for (const connector of chosen) {
    if (values !== undefined) {
      await signInEndpoint(discover, connector, configurationOf(again, connector, values), organization);
    }
    // An existing instance has its client already.
    if (again !== undefined && ownKey === undefined) continue;
    const field = "configuration.oauth.api.key";
    const client = await chooseClient(tenants, organization.id, connector, ownKey, field);
    if (values !== undefined) oauthClientOf(client, values);
  }
}

/** The given plain values; for an existing instance, also its stored values for the vendor's URLs. */
function configurationOf(
  again: Instance | undefined,
  connector: Connector,
  { plain }: ConfigurationValues,
): Record<string, string> {
  return { ...endpointFields(connector, again?.configuration ?? {}), ...plain };
}

/** Key of a session's item. */
export function sessionItem(sessionId: string): string {
  return `session#${sessionId}`;
}

/** The session with an id from a URL. */
export async function findSession(
  transients: Pick<TransientStore, "get">,
  sessionId: string,
): Promise<ConnectSession | undefined> {
  return /^cs_[\w-]{32}$/.test(sessionId)
    ? await transients.get<ConnectSession>(sessionItem(sessionId))
    : undefined;
}

/** The secret configuration of a session. */
export async function openSessionConfiguration(
  { grants }: ConnectionDeps,
  { organizationId, sessionId, sealedConfiguration }: ConnectSession,
): Promise<Record<string, string>> {
  if (sealedConfiguration === undefined) return {};
  const text = await grants.vault.open(sessionPlace(organizationId, sessionId), sealedConfiguration);
  return JSON.parse(text) as Record<string, string>;
}

function sessionPlace(organizationId: string, sessionId: string): SealedPlace {
  return { organizationId, item: `session/${sessionId}`, field: "configuration" };
}

/**
 * @throws {InvalidRequest} the body has neither element nor elements
 * @throws {NotFound} an element is unknown
 */
async function connectorsOf(body: SessionBody): Promise<Connector[]> {
  const asked = body.elements ?? (body.element === undefined ? [] : [body.element]);
  if (asked.length === 0) throw new InvalidRequest("element is missing", "element");
  const found = asked.map(async (element, index) => {
    const keyOrId = elementKeyOrId(element);
    const field = body.elements === undefined ? "element.key" : `elements.${index}.key`;
    if (keyOrId === undefined) throw new InvalidRequest(`${field} is missing`, field);
    return await connectorNamed(keyOrId);
  });
  return [...new Set(await Promise.all(found))];
}
