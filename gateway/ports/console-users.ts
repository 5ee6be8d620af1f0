// Who may use the console, as its adapter and the command line see them.

/** Each may do what those before it may. */
export type Role = 'viewer' | 'electrician' | 'operator';
export const ROLES: readonly Role[] = ['viewer', 'electrician', 'operator'];

/** Whether somebody of this role may do what `wanted` is needed for. */
export const mayAs = (role: Role, wanted: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(wanted);
