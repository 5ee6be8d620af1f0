// Which page stands at which place; what only some look at is fetched when they do.
import type { ComponentType, JSX } from 'preact';
import { CircuitPage } from './site/circuit-page.js';
import { EventsPage } from './events-page.js';
import { EvsePage } from './site/evse-page.js';
import { NotFetched } from './parts/problem.js';
import { SitePage } from './site/site-page.js';
import { TransactionsPage } from './transactions-page.js';
import { UplinkPage } from './uplink-page.js';
import type { Place } from './place.js';
import { useLater } from './use-later.js';

export function Pages({ place }: { readonly place: Place }): JSX.Element {
  switch (place.page) {
    case 'site':
      return <SitePage />;
    case 'evse':
      return <EvsePage key={place.evse} number={place.evse} />;
    case 'circuit':
      return <CircuitPage key={place.circuit} name={place.circuit} />;
    case 'transactions':
      return <TransactionsPage />;
    case 'uplink':
      return <UplinkPage />;
    case 'events':
      return <EventsPage />;
    case 'trace':
      return <Later key="trace" load={trace} peer={place.peer} />;
    case 'configuration':
      return <Later key="configuration" load={configuration} />;
    case 'commissioning':
      return <Later key="commissioning" load={commissioning} />;
    case 'users':
      return <Later key="users" load={users} />;
  }
}

interface LaterProps {
  readonly peer?: string | undefined;
}
type Load = () => Promise<ComponentType<LaterProps>>;

const trace: Load = async () => (await import('./trace-page.js')).TracePage;
const configuration: Load = async () => (await import('./configuration/configuration-page.js')).ConfigurationPage;
const commissioning: Load = async () => (await import('./commissioning-page.js')).CommissioningPage;
const users: Load = async () => (await import('./users-page.js')).UsersPage;

function Later({ load, peer }: LaterProps & { readonly load: Load }): JSX.Element {
  const { part: Page, failed } = useLater(load);
  if (failed) return <NotFetched />;
  return Page === undefined ? <p role="status">Loading …</p> : <Page peer={peer} />;
}
