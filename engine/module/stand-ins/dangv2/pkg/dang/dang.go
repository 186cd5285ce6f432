// Package dang refuses to run programs in version 2 of the Dang language.
//
// It stands in for github.com/vito/dang/v2, which not every Go module
// proxy serves. Being just as absent as version 1, it has the same contents.
package dang

import v1 "github.com/vito/dang/pkg/dang"

const (
	ObjectKind         = v1.ObjectKind
	EnumKind           = v1.EnumKind
	ScalarKind         = v1.ScalarKind
	InterfaceKind      = v1.InterfaceKind
	PrivateVisibility  = v1.PrivateVisibility
	PublicVisibility   = v1.PublicVisibility
	BindingOriginLocal = v1.BindingOriginLocal
)

var (
	ErrAbsent                = v1.ErrAbsent
	StringType               = v1.StringType
	RunDir                   = v1.RunDir
	DeclareDir               = v1.DeclareDir
	EvalNode                 = v1.EvalNode
	EvaluateFormsWithPhases  = v1.EvaluateFormsWithPhases
	ContextWithImportConfigs = v1.ContextWithImportConfigs
	NewObject                = v1.NewObject
	CreateOverlayValueScope  = v1.CreateOverlayValueScope
)

type (
	ImportConfig = v1.ImportConfig

	Keyed[T any]      = v1.Keyed[T]
	Kind              = v1.Kind
	Visibility        = v1.Visibility
	BindingOrigin     = v1.BindingOrigin
	BindingOriginKind = v1.BindingOriginKind
	TypeScope         = v1.TypeScope
	Type              = v1.Type
	ListType          = v1.ListType
	MapType           = v1.MapType
	RecordType        = v1.RecordType

	Value               = v1.Value
	NullValue           = v1.NullValue
	StringValue         = v1.StringValue
	IntValue            = v1.IntValue
	BoolValue           = v1.BoolValue
	EnumValue           = v1.EnumValue
	ScalarValue         = v1.ScalarValue
	ListValue           = v1.ListValue
	MapValue            = v1.MapValue
	ValueScope          = v1.ValueScope
	Object              = v1.Object
	ConstructorFunction = v1.ConstructorFunction
	GraphQLFunction     = v1.GraphQLFunction
	GraphQLValue        = v1.GraphQLValue

	Node                 = v1.Node
	Record               = v1.Record
	Symbol               = v1.Symbol
	ValueNode            = v1.ValueNode
	Select               = v1.Select
	FunCall              = v1.FunCall
	FieldDecl            = v1.FieldDecl
	DirectiveApplication = v1.DirectiveApplication
)
