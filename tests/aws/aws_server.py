"""The AWS of the tests, in a process of its own: what tests, benchmarks and demos start.

with AwsServer() as aws:
    aws.kms().create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    aws.switch(latency_ms=15, throttle=0.3, seed=1)
    aws.signs()  # every signature that was made, in order
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).parent
REGION = "eu-west-1"
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
# A proxy of the developer's is not asked for what is on this machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class AwsServer:
    """A running server; its process ends with the `with` block or with this process."""

    def __init__(self, region: str = REGION) -> None:
        self.region = region
        self.endpoint = ""
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[tuple[str, int, int], Any] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(FOLDER), "--until-input-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # moto uses boto3 itself, and would look for the profile that the developer has set.
            env={k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))},
        )
        assert self._process.stdout is not None
        self.endpoint = self._process.stdout.readline().strip()  # written once it listens
        if not self.endpoint:
            raise RuntimeError(f"{FOLDER} did not start, exit code {self._process.wait()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, as an outage does; clients see their connections refused."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._process is not None:
            with self._process as process:
                process.terminate()
            self._process = None

    def environment(self) -> dict[str, str]:
        """Return variables for processes: credentials that mean nothing, and no other sources."""
        return {
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def kms(self, *, attempts: int = 1, connections: int = 10) -> Any:
        """Return a plain boto3 client of KMS that does not retry, unless told to."""
        return self._client("kms", attempts, connections)

    def s3(self, *, attempts: int = 1, connections: int = 10) -> Any:
        """Return a plain boto3 client of S3."""
        return self._client("s3", attempts, connections)

    def _client(self, service: str, attempts: int, connections: int) -> Any:
        """Return the client with these settings; making one takes boto3 a while."""
        wanted = (service, attempts, connections)
        if wanted not in self._clients:
            self._clients[wanted] = self._new_client(*wanted)
        return self._clients[wanted]

    def _new_client(self, service: str, attempts: int, connections: int) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=connections,
            proxies={},
        )
        session = boto3.session.Session(region_name=self.region, **CREDENTIALS)
        return session.client(service, endpoint_url=self.endpoint, config=config)

    def create_key(self, spec: str, *, alias: str | None = None, **parameters: Any) -> str:
        """Make a signing key, with an alias (`alias/name`) if given, and return its ARN."""
        kms = self.kms()
        made = kms.create_key(**{"KeySpec": spec, "KeyUsage": "SIGN_VERIFY", **parameters})
        arn: str = made["KeyMetadata"]["Arn"]
        if alias is not None:
            kms.create_alias(AliasName=alias, TargetKeyId=arn)
        return arn

    def uri(self, name: str) -> str:
        """Return the awskms: URI of an alias or ARN at this server."""
        return f"awskms:///{name}?region={self.region}&endpoint={self.endpoint}"

    def switch(self, **settings: Any) -> None:
        """Change switches (`switches.Switches` says which) and count and draw from the start."""
        self._control("PUT", "switches", settings)

    def clear_switches(self) -> None:
        """Be in good health again."""
        self._control("DELETE", "switches")

    def signs(self) -> list[dict[str, Any]]:
        """Return every Sign that made a signature (`sign_log.Made`), in their order."""
        made: list[dict[str, Any]] = self._control("GET", "log")["signs"]
        return made

    def failures(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return the calls of KMS that were refused (`sign_log.Failed`)."""
        failed = self._control("GET", "log")["failures"]
        return [entry for entry in failed if operation in (None, entry["operation"])]

    def clear_log(self) -> None:
        """Forget both lists."""
        self._control("DELETE", "log")

    def create_bucket(self, name: str, *, public: bool = False) -> None:
        """Make a bucket; of a public one anybody may get the objects, by its policy."""
        s3 = self.s3()
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.region})
        if public:
            allowed = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
            }
            policy = {"Version": "2012-10-17", "Statement": [allowed]}
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    def target(self, place: str) -> str:
        """Return the s3: URI of a bucket, or a prefix in one, at this server."""
        return f"s3://{place}?region={self.region}&endpoint={self.endpoint}"

    def switch_s3(self, **settings: Any) -> None:
        """Change switches of S3 (`s3_switches.S3Switches` says which)."""
        self._control("PUT", "s3-switches", settings)

    def s3_calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return the calls of S3 in the order of their answers (`s3_log.Asked`)."""
        calls: list[dict[str, Any]] = self._control("GET", "s3-log")
        return [call for call in calls if operation in (None, call["operation"])]

    def clear_s3_log(self) -> None:
        self._control("DELETE", "s3-log")

    def reset(self) -> None:
        """Clear switches and logs; keys and buckets stay."""
        self.clear_switches()
        self.clear_log()
        self._control("DELETE", "s3-switches")
        self.clear_s3_log()

    def _control(self, method: str, what: str, settings: dict[str, Any] | None = None) -> Any:
        body = json.dumps(settings).encode() if settings is not None else None
        request = urllib.request.Request(
            f"{self.endpoint}/aws-of-the-tests/{what}", data=body, method=method
        )
        with _DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)
