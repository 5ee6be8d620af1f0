// What a CSMS may do by its role: an authority everything, a limiter cap the site, an observer look.
import type { CsmsAnswer, CsmsCommand } from '../ports/csms.js';
import type { CsmsRole } from '../site/topology.js';

type Rule = 'read' | 'profile' | 'act';

const RULES: Readonly<Record<CsmsCommand['type'], Rule>> = {
  requestStart: 'act',
  requestStop: 'act',
  unlock: 'act',
  changeAvailability: 'act',
  reset: 'act',
  reserve: 'act',
  cancelReservation: 'act',
  sendLocalList: 'act',
  getLocalListVersion: 'read',
  clearCache: 'act',
  setChargingProfile: 'profile',
  clearChargingProfile: 'profile',
  getCompositeSchedule: 'read',
  getChargingProfiles: 'read',
  trigger: 'read',
  getVariables: 'read',
  // Its own sampling and link settings; what is shared is refused variable by variable.
  setVariables: 'read',
  getReport: 'read',
  getTransactionStatus: 'read',
  dataTransfer: 'act',
};

/** The word of refusal that the answer's schema knows. */
const REFUSALS: Partial<Record<CsmsCommand['type'], CsmsAnswer['status']>> = {
  unlock: 'UnlockFailed',
  sendLocalList: 'Failed',
  clearChargingProfile: 'Unknown',
};

/** The answer to a command that this role may not give; undefined: it may. Never an error: some CSMSs take one for fatal. */
export function refusal(role: CsmsRole, command: CsmsCommand): CsmsAnswer | undefined {
  if (role === 'authority' || RULES[command.type] === 'read') return undefined;
  if (role === 'limiter' && command.type === 'clearChargingProfile') return undefined;
  const capsStation = command.type === 'setChargingProfile' && command.profile.purpose === 'ChargingStationMaxProfile';
  if (role === 'limiter' && capsStation) return undefined;
  return {
    status: REFUSALS[command.type] ?? 'Rejected',
    reasonCode: 'NotAllowed',
    detail: `this CSMS has the role of ${role}`,
  };
}
