import { endpointValues } from "../../endpoint/endpoint.ts";
import type { TokenOutcome } from "../../oauth/ports.ts";
import type { Sealer } from "../../vault/ports.ts";
import { earliestNow } from "../timing.ts";
import type { LeasedAttempt } from "./attempt.ts";

/** The result of the token request, and the sealer for the new grant. */
export interface Exchanged {
  readonly outcome: TokenOutcome;
  /** The earliest store time at which the request can have been sent. */
  readonly sentAt: number;
  readonly sealer: Sealer;
}

/**
 * Step 4: unwraps the key, connects, and sends if there is still time. Every failure has its own outcome.
 * @param answeredMs own monotonic clock when the read was answered
 */
export async function exchange(
  { deps, read: { reading }, lease, connector, old }: LeasedAttempt,
  refreshToken: string,
  answeredMs: number,
): Promise<Exchanged> {
  const { instance } = lease;
  let sentAt: number | undefined;
  let sealer: Sealer = deps.vault;
  try {
    sealer = await deps.vault.prepare(instance.organizationId);
    const client = await deps.clients.resolve(instance.organizationId, connector.key, old.client);
    const outcome = await deps.tokens.refresh(connector, client, {
      refreshToken,
      shortLived: old.shortLived === true,
      values: endpointValues(connector, instance.configuration, old),
      timeoutMs: deps.timing.exchangeMs,
      beforeSend: () => {
        const now = deps.monotonic();
        if (now > lease.sendBefore)
          throw new Error("too late to send: the lease might run out before the answer is stored");
        sentAt = earliestNow(reading, answeredMs, now);
      },
    });
    return { outcome, sealer, sentAt: sentAt ?? reading.dateMs };
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown error";
    return {
      outcome: sentAt === undefined ? { kind: "never_sent", reason } : { kind: "unknown", reason },
      sealer,
      sentAt: sentAt ?? reading.dateMs,
    };
  }
}
