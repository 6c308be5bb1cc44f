"""dlt as its guide has it: RESTClient and a cursor paginator, rows as they come, Parquet loader.

It lands every column as the vendor sends it (numbers in quotes stay text), which is the less work.
"""

import json
import os
import sys


def main() -> None:
    """dlt_rows URL FOLDER"""
    url, folder = sys.argv[1:]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DLT_DATA_DIR"] = folder
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    client = RESTClient(url, data_selector="results")

    @dlt.resource(name="ad_daily", write_disposition="append")
    def ad_daily():
        yield from client.paginate(
            "/v26/customers/4185550101/googleAds:search",
            method="POST",
            json={"query": "SELECT"},
            paginator=JSONResponseCursorPaginator(
                cursor_path="nextPageToken", cursor_body_path="pageToken"
            ),
        )

    pipeline = dlt.pipeline(
        "measured",
        pipelines_dir=folder,
        destination=dlt.destinations.duckdb(f"{folder}/loaded.duckdb"),
        dataset_name="ads",
    )
    pipeline.run(ad_daily(), loader_file_format="parquet")
    with pipeline.sql_client() as client_:
        rows = client_.execute_sql("select count(*) from ad_daily")[0][0]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
