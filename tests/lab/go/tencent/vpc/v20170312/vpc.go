package v20170312

import "errors"

var errStub = errors.New("stub")

type Filter struct {
	Name   *string
	Values []*string
}
type Route struct {
	DestinationCidrBlock, GatewayType, GatewayId, RouteType *string
	Enabled                                                 *bool
	RouteId                                                 *uint64
}
type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}
type DescribeRouteTablesRequest struct{ Filters []*Filter }
type DescribeRouteTablesResponse struct{ Response *struct{ RouteTableSet []*RouteTable } }
type DeleteRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}
type CreateRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}
type Client struct{}

func NewClientWithSecretId(id, key, region string) (*Client, error)  { return &Client{}, nil }
func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest     { return &DescribeRouteTablesRequest{} }
func NewDeleteRoutesRequest() *DeleteRoutesRequest                   { return &DeleteRoutesRequest{} }
func NewCreateRoutesRequest() *CreateRoutesRequest                   { return &CreateRoutesRequest{} }
func (c *Client) DescribeRouteTables(r *DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) { return nil, errStub }
func (c *Client) DeleteRoutes(r *DeleteRoutesRequest) (*struct{}, error)                                  { return nil, errStub }
func (c *Client) CreateRoutes(r *CreateRoutesRequest) (*struct{}, error)                                  { return nil, errStub }
