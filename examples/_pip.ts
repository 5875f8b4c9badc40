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
      "--target",
      target,
      ...what,
    ],
    // It installs nothing outside the folder, so who runs it does not matter. (As an option, old versions refuse it.)
    env: { PIP_ROOT_USER_ACTION: "ignore" },
  });
  try {
    return (await install.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
