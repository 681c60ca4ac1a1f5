"""dataset.scan.s3_checksums: the signature is that of AWS."""

from __future__ import annotations

from datetime import UTC, datetime

from scenario_apply.dataset.scan.s3_checksums import signed_headers


def test_the_signature_is_that_of_the_documented_example() -> None:
    """Of "GET Object" in AWS, "Examples: Signature Calculations in AWS Signature Version 4"."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    found = signed_headers(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {"range": "bytes=0-9", "x-amz-content-sha256": empty},
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "us-east-1",
        datetime(2013, 5, 24, tzinfo=UTC),
    )
    signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert found["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature={signature}"
    )
