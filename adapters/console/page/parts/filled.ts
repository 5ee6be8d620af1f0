// What was filled into a form, as texts by the names of its fields.

export type Filled = (name: string) => string;

export function filled(form: HTMLFormElement): Filled {
  const data = new FormData(form);
  return (name) => {
    const value = data.get(name);
    return typeof value === 'string' ? value : '';
  };
}
