"""`python -m lambda_matrix`: the same as the command `lambda-matrix`."""

from lambda_matrix.cli import main

if __name__ == "__main__":
    main()
