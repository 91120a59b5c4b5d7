/** Rules of the protocol that live outside the core's code, so that a test can take one out and see the model notice. */
export interface Rules {
  /** A held lease is seen. */
  lease: boolean;
  /** COMMIT asks for the base version. */
  commitVersion: boolean;
  /** Taking the lease asks for the fence that was read. */
  takeFence: boolean;
  /** A look into the rescue bucket sees what lies there. */
  look: boolean;
  /** The check just before sending can stop the request. */
  checkBeforeSend: boolean;
  /** RELEASE asks for the own fence. */
  releaseFence: boolean;
  /** needs_reauth asks for the own fence and version. */
  deadCondition: boolean;
  /** A sign-in's write keeps the grant that it replaces beside the new one. */
  keepReplaced: boolean;
  /** Forgetting what was replaced asks for the epoch it was read with. */
  forgetEpoch: boolean;
  /** A sign-in's revocation of the grant that it replaced reaches the vendor. */
  revokeReplaced: boolean;
  /** The revocation of a grant that came too late reaches the vendor. */
  revokeOrphan: boolean;
  /** A grant that a vendor calls dead may be sent to it once more. */
  revive: boolean;
  /** What a dead grant holds is kept. */
  keepDead: boolean;
  /** Taking the tokens out of what is dead asks for the version, fence and death that were read. */
  emptyCondition: boolean;
  /** A forced refresh is remembered with its lease. */
  forcedAt: boolean;
  /** A write that the table refuses for good is told from one that did not work now. */
  tellRefusal: boolean;
  /** A re-seal asks for the version that it read. */
  resealVersion: boolean;
  /** What a hosted sign-in brings waits for its claim. Without it, it goes live at once. */
  hostedWaits: boolean;
  /** The mark of a claim asks that the pending sign-in is not ending. */
  claimUnlessEnding: boolean;
  /** The mark of an end asks that it is not claimed. */
  endUnlessClaimed: boolean;
  /** The revocation of a pending sign-in reaches the vendor. */
  revokePending: boolean;
  /** A sign-in that carries a refresh token over sees a held lease, and looks into the rescue bucket. */
  carryLease: boolean;
  carryLook: boolean;
  /** A refresh token that comes with an access token of no use is kept; else it is an answer that cannot be read. */
  keepRotated: boolean;
  /** A new token that the vendor refuses is not taken for an ended one: not all of its machines may know it. */
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
