/**
 * Installs from PyPI into a folder, with the pip of the Python 3 on the PATH; false if there is none, or it fails.
 *
 * @param target the folder; it is made if it does not exist
 * @param what pip's arguments that say what to install
 */
export async function pipInstall(
  target: string,
  ...what: string[]
): Promise<boolean> {
  const install = new Deno.Command("python3", {
    args: [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--root-user-action=ignore",
      "--target",
      target,
      ...what,
    ],
  });
  try {
    return (await install.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
