/**
 * Rules of the protocol that are outside the core's code, so that a test can take one out and check that the model finds a
 * violation.
 */
export interface Rules {
  /** A process sees a held lease. */
  lease: boolean;
  /** COMMIT has the condition on the base version. */
  commitVersion: boolean;
  /** Taking the lease has the condition on the fence that was read. */
  takeFence: boolean;
  /** A read of the rescue bucket returns the records in it. */
  look: boolean;
  /** The check just before sending can stop the request. */
  checkBeforeSend: boolean;
  /** RELEASE has the condition on the process's own fence. */
  releaseFence: boolean;
  /** needs_reauth has the conditions on the process's own fence and version. */
  deadCondition: boolean;
  /** A sign-in's write keeps the grant that it replaces beside the new one. */
  keepReplaced: boolean;
  /** Removing the replaced grants has the condition on the epoch that was read. */
  forgetEpoch: boolean;
  /** The revocation of the grant that a sign-in replaced reaches the vendor. */
  revokeReplaced: boolean;
  /** The revocation of a grant that came too late reaches the vendor. */
  revokeOrphan: boolean;
  /** A grant that a vendor called dead may be sent to the vendor once more. */
  revive: boolean;
  /** The tokens of a dead grant are kept. */
  keepDead: boolean;
  /** Deleting the tokens of a dead grant has conditions on the version, fence and death that were read. */
  emptyCondition: boolean;
  /** A forced refresh stores its time with its lease. */
  forcedAt: boolean;
  /** A write that the table refuses for good is recognized, and not taken for a failure that passes. */
  tellRefusal: boolean;
  /** A re-seal has the condition on the version that it read. */
  resealVersion: boolean;
  /** The grant of a hosted sign-in waits for its claim. Without this rule it is used at once. */
  hostedWaits: boolean;
  /** The mark of a claim has the condition that the pending sign-in is not ending. */
  claimUnlessEnding: boolean;
  /** The mark of an end has the condition that the pending sign-in is not claimed. */
  endUnlessClaimed: boolean;
  /** The revocation of a pending sign-in reaches the vendor. */
  revokePending: boolean;
  /** A sign-in that carries a refresh token over sees a held lease, and reads the rescue bucket. */
  carryLease: boolean;
  carryLook: boolean;
  /** A refresh token that comes with an unusable access token is kept; without this rule the answer counts as unreadable. */
  keepRotated: boolean;
  /** A new token that the vendor refuses does not count as ended, because not all of the vendor's servers may know it yet. */
  spareFresh: boolean;
}

export const ALL_RULES: Rules = {
  lease: true,
  commitVersion: true,
  takeFence: true,
  look: true,
  checkBeforeSend: true,
  releaseFence: true,
  deadCondition: true,
  keepReplaced: true,
  forgetEpoch: true,
  revokeReplaced: true,
  revokeOrphan: true,
  tellRefusal: true,
  resealVersion: true,
  hostedWaits: true,
  claimUnlessEnding: true,
  endUnlessClaimed: true,
  revokePending: true,
  carryLease: true,
  carryLook: true,
  revive: true,
  keepDead: true,
  emptyCondition: true,
  forcedAt: true,
  keepRotated: true,
  spareFresh: true,
};
