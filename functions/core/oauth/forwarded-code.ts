import { hashOf } from "../instances/sign-in-epoch.ts";
import type { TransientItem, TransientStore } from "../transients.ts";

/** Which authorization a code belongs to that an OAuth proxy forwarded: the app sends it with a state of its own. */
interface ForwardedCode extends TransientItem {
  readonly stateHash: string;
}

/** A code names its vendor's client, too: vendors may give the same code text to two clients. */
export interface CodeOfClient {
  /** Key of the connector. */
  readonly connector: string;
  readonly clientId: string;
  readonly code: string;
}

export async function rememberForwarded(
  { transients }: { readonly transients: Pick<TransientStore, "put"> },
  code: CodeOfClient,
  { stateHash, expiresAt }: { readonly stateHash: string; readonly expiresAt: number },
): Promise<void> {
  // Refused: an earlier delivery of the same callback has put it.
  await transients.put<ForwardedCode>({ id: itemOf(code), expiresAt, stateHash });
}

/** Hash of the state with which the authorization of this code began. @returns undefined: no proxy forwarded it */
export async function stateOfForwarded(
  { transients }: { readonly transients: Pick<TransientStore, "get"> },
  code: CodeOfClient,
): Promise<string | undefined> {
  return (await transients.get<ForwardedCode>(itemOf(code)))?.stateHash;
}

function itemOf({ connector, clientId, code }: CodeOfClient): string {
  return `forwarded-code#${hashOf(connector, clientId, code)}`;
}
