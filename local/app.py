"""`python -m local.app` prints what the app needs of the stack of `make up`, for a shell to evaluate."""

from local import stack as stacks


def main() -> None:
    try:
        stack = stacks.load(stacks.FOLDER)
    except FileNotFoundError:
        raise SystemExit("There is no stack yet: run `make up` in another terminal first.") from None
    print(f"export EXPO_PUBLIC_SUPABASE_URL={stack.gateway_url}")
    print(f"export EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY={stack.publishable_key}")


if __name__ == "__main__":
    main()
